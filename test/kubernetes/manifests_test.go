// SPDX-License-Identifier: Apache-2.0

// Package kubernetes holds examples/kubernetes against the API's own types, its
// Pod Security Standard, and the real gate: run as its containers run it.
package kubernetes

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const repository = "../.."

// manifests are what kustomize makes of the base, by kind and name.
type manifests struct {
	deployments map[string]*appsv1.Deployment
	services    map[string]*corev1.Service
	configs     map[string]*corev1.ConfigMap
}

// render builds the base and decodes it strictly: a field that the API does not
// know fails.
func render(t *testing.T) manifests {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).
		Run(filesys.MakeFsOnDisk(), filepath.Join(repository, "examples/kubernetes/base"))
	if err != nil {
		t.Fatal(err)
	}
	m := manifests{map[string]*appsv1.Deployment{}, map[string]*corev1.Service{}, map[string]*corev1.ConfigMap{}}
	for _, r := range made.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		switch kind := r.GetKind(); kind {
		case "Deployment":
			m.deployments[r.GetName()] = strictly[appsv1.Deployment](t, text)
		case "Service":
			m.services[r.GetName()] = strictly[corev1.Service](t, text)
		case "ConfigMap":
			m.configs[r.GetName()] = strictly[corev1.ConfigMap](t, text)
		default:
			t.Errorf("a %s: no test knows it", kind)
		}
	}
	return m
}

func strictly[T any](t *testing.T, text []byte) *T {
	t.Helper()
	v := new(T)
	if err := decode(text, v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}

// decode reads as the API server does with fieldValidation=Strict: no unknown
// field, no key twice, upper and lower case told apart.
func decode(text []byte, into any) error {
	object, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return err
	}
	strict, err := json.UnmarshalStrict(object, into)
	return errors.Join(append(strict, err)...)
}

func (m manifests) scout(t *testing.T) *appsv1.Deployment {
	t.Helper()
	d := m.deployments["scout"]
	if d == nil || len(d.Spec.Template.Spec.InitContainers) != 1 || len(d.Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("no Deployment of one gate and one agent: %+v", m.deployments)
	}
	return d
}

// config returns the ConfigMap whose name kustomize made of this one.
func (m manifests) config(t *testing.T, name string) *corev1.ConfigMap {
	t.Helper()
	for full, c := range m.configs {
		if strings.HasPrefix(full, name+"-") {
			return c
		}
	}
	t.Fatalf("there is no ConfigMap %s", name)
	return nil
}

func TestManifests_UnknownFieldIsRefused(t *testing.T) {
	for _, text := range []string{"spec: {replica: 1}", "spec: {template: {spec: {containers: [{name: x, startUpProbe: {}}]}}}", "spec: {replicas: one}", "spec: {replicas: 1, replicas: 2}"} {
		if err := decode([]byte(text), new(appsv1.Deployment)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestManifests_NamesResolve(t *testing.T) {
	m := render(t)
	d := m.scout(t)
	pod := d.Spec.Template.Spec
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
		if v.ConfigMap != nil && m.configs[v.ConfigMap.Name] == nil {
			t.Errorf("the volume %s has no ConfigMap %s", v.Name, v.ConfigMap.Name)
		}
	}
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		for _, e := range c.EnvFrom {
			if m.configs[e.ConfigMapRef.Name] == nil {
				t.Errorf("%s: there is no ConfigMap %s", c.Name, e.ConfigMapRef.Name)
			}
		}
		for _, mount := range c.VolumeMounts {
			if !volumes[mount.Name] {
				t.Errorf("%s: there is no volume %s", c.Name, mount.Name)
			}
		}
		if !strings.HasPrefix(c.Image, "justnews/agent:") {
			t.Errorf("%s: the image is %s", c.Name, c.Image)
		}
	}
	service := m.services["scout"]
	for key, value := range service.Spec.Selector {
		if d.Spec.Template.Labels[key] != value || d.Spec.Selector.MatchLabels[key] != value {
			t.Errorf("%s=%s selects nothing", key, value)
		}
	}
	if port := pod.Containers[0].Ports[0]; service.Spec.Ports[0].TargetPort.StrVal != port.Name || service.Spec.Ports[0].Port != port.ContainerPort {
		t.Errorf("%+v, %+v", service.Spec.Ports, port)
	}
}

func TestManifests_PodFitsTheRestrictedStandard(t *testing.T) {
	d := render(t).scout(t)
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	judge := func() policy.AggregateCheckResult {
		return policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &d.Spec.Template.ObjectMeta, &d.Spec.Template.Spec))
	}
	if r := judge(); !r.Allowed {
		t.Errorf("%s: %s", r.ForbiddenReason(), r.ForbiddenDetail())
	}
	for _, c := range append(d.Spec.Template.Spec.InitContainers, d.Spec.Template.Spec.Containers...) {
		if s := c.SecurityContext; s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
			t.Errorf("%s can write its own image", c.Name)
		}
	}
	if p := d.Spec.Template.Spec; p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken || p.EnableServiceLinks == nil || *p.EnableServiceLinks {
		t.Error("the pod has a token, or the service links that upstream trips over")
	}
	// The check can fail.
	d.Spec.Template.Spec.InitContainers[0].SecurityContext.Capabilities = nil
	if judge().Allowed {
		t.Error("a container with capabilities is allowed")
	}
}

func TestManifests_GateEndsBeforeTheKubeletsDeadline(t *testing.T) {
	m := render(t)
	d := m.scout(t)
	probe := d.Spec.Template.Spec.Containers[0].StartupProbe
	command := probe.Exec.Command
	budget, err := strconv.Atoi(command[len(command)-1])
	if err != nil || command[len(command)-2] != "--timeout" {
		t.Fatalf("%q", command)
	}
	if int32(budget) >= probe.TimeoutSeconds || probe.TimeoutSeconds > probe.PeriodSeconds {
		t.Errorf("a budget of %d s, %d s until it is killed, every %d s", budget, probe.TimeoutSeconds, probe.PeriodSeconds)
	}
	gate, err := strconv.Atoi(m.config(t, "justnews-environment").Data["GATE_TIMEOUT"])
	if err != nil {
		t.Fatal(err)
	}
	all := time.Duration(gate)*time.Second + time.Duration(probe.PeriodSeconds*probe.FailureThreshold)*time.Second
	if deadline := time.Duration(*d.Spec.ProgressDeadlineSeconds) * time.Second; deadline <= all {
		t.Errorf("a rollout fails after %v, and its gates may take %v", deadline, all)
	}
}
