// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/safefile"
)

// MetricsDir is where node_exporter finds the metrics, in the only directory
// that every unit's sandbox lets a gate write to. tmpfiles.d creates it with
// mode 3775, root:justnews.
const MetricsDir = "/run/justnews-gate/metrics"

// WriteMetrics replaces the metrics of one kind of run: each instance and each
// kind of run of the host has its own file, so that writers need no
// coordination. Readers see the old or the new file, which is readable by
// everyone. A missing dir is created if its parent exists. The error wraps
// fs.ErrNotExist or fs.ErrPermission if the caller has no such directory.
func WriteMetrics(dir, run, instance string, text []byte) error {
	name := metricsName(run, instance)
	if name != filepath.Base(name) {
		return fmt.Errorf("cannot write the metrics of %q: not an instance's name", instance)
	}
	root, err := safefile.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeMetricsDir(dir); err == nil {
			root, err = safefile.OpenRoot(dir)
		}
	}
	if err != nil {
		return fmt.Errorf("cannot write the metrics: %w", err)
	}
	defer func() { _ = root.Close() }()
	if err := replace(root, name, text, 0o664); err != nil {
		return fmt.Errorf("cannot write the metrics in %s: %w", dir, err)
	}
	return nil
}

// metricsName is the file of one kind of run.
func metricsName(run, instance string) string {
	name := metricsPrefix + strings.ReplaceAll(run, " ", "_")
	if instance != "" {
		name += "_" + instance
	}
	return name + ".prom"
}

// RemoveMetrics removes the metrics of one kind of run of the host, if there are any.
func RemoveMetrics(dir, run string) error {
	root, err := safefile.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("cannot remove the metrics: %w", err)
	}
	defer func() { _ = root.Close() }()
	if err := root.Remove(metricsName(run, "")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove the metrics in %s: %w", dir, err)
	}
	return nil
}

// SweepMetrics removes the metrics of gates whose instances are no longer
// listed, which would show a refusal until the next boot.
func SweepMetrics(dir string, listed []string) error {
	root, err := safefile.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("cannot sweep the metrics: %w", err)
	}
	defer func() { _ = root.Close() }()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return fmt.Errorf("cannot sweep the metrics in %s: %w", dir, err)
	}
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), gatePrefix)
		name, prom := strings.CutSuffix(name, ".prom")
		if !ok || !prom || e.IsDir() || slices.Contains(listed, name) {
			continue
		}
		// Another user's file in a sticky directory stays; that user's gate
		// removes it.
		if err := root.Remove(e.Name()); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot sweep the metrics in %s: %w", dir, err)
		}
	}
	return nil
}

// The prefixes of the metrics' files, and of those of an instance's gate.
const (
	metricsPrefix = "justnews_"
	gatePrefix    = metricsPrefix + "gate_"
)

// makeMetricsDir creates what tmpfiles.d would have created. The group comes
// from the parent's set-group-ID bit; the directory's own bit is not needed,
// since files in it are replaced and never written to.
func makeMetricsDir(dir string) error {
	parent, err := safefile.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return err
	}
	defer func() { _ = parent.Close() }()
	switch err := parent.Mkdir(filepath.Base(dir), 0o755); {
	case errors.Is(err, fs.ErrExist): // another gate's, or something planted
		return nil
	case err != nil:
		return err
	}
	return parent.Chmod(filepath.Base(dir), 0o775|fs.ModeSticky) // regardless of the umask
}
