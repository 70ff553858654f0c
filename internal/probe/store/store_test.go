// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/probe/store"
	reference "justnews/test/reference/store"
)

func TestMain(m *testing.M) {
	syscall.Umask(0o022)
	os.Exit(m.Run())
}

// made is a whole store in upstream's layout, readable for everybody.
func made(t testing.TB) *reference.Store {
	t.Helper()
	dir := t.TempDir()
	for at := dir; at != "/" && at != "."; at = filepath.Dir(at) {
		_ = os.Chmod(at, 0o755) // so that another user gets there
		if filepath.Base(filepath.Dir(at)) == "tmp" {
			break
		}
	}
	s, err := reference.Make(filepath.Join(dir, "models"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var scouts = reference.Models[0]

func want(m reference.Model) facts.StoreWant {
	return facts.StoreWant{Agent: m.Agent, Model: m.ID, ID: m.ID, Owner: m.Agent}
}

func wants() []facts.StoreWant {
	var all []facts.StoreWant
	for _, m := range reference.Models {
		all = append(all, want(m))
	}
	return all
}

func kinds(faults []facts.StoreFault) []facts.FaultKind {
	var all []facts.FaultKind
	for _, f := range faults {
		all = append(all, f.Kind)
	}
	return all
}

func TestStore_WholeStoreHasNoFaults(t *testing.T) {
	s := made(t)
	look := store.Store{Root: s.Root}.Look(t.Context(), wants())
	if look.Fault != nil || len(look.Trees) != 9 || len(look.Models) != 16 || len(look.Agents) != 9 {
		t.Fatalf("%+v", look)
	}
	for _, m := range look.Models {
		if len(m.Faults) > 0 || m.Files != 4 || m.Bytes < 16<<10 || m.Dir != s.Snapshot(reference.Model{Agent: m.Want.Agent, ID: m.Want.ID}) {
			t.Errorf("%+v", m)
		}
	}
	for _, tree := range look.Trees {
		if tree.Current != facts.CurrentLink || tree.Name != "v1" || len(tree.Staged) > 0 {
			t.Errorf("%+v", tree)
		}
	}
	for _, p := range (store.Store{Root: s.Root}).Prove(t.Context(), look.Trees, store.Proving{}) {
		if p.Verdict != facts.Whole || p.By != "manifest" || p.Read == 0 {
			t.Errorf("%+v", p)
		}
	}
}

func TestStore_EveryDamageInTheRunbookIsFound(t *testing.T) {
	for damage, c := range map[reference.Damage]struct {
		tree  facts.FaultKind // of the version
		model facts.FaultKind // of the model
		proof facts.ProofVerdict
	}{
		reference.MissingModel:    {model: facts.NoModel, proof: facts.Differs},
		reference.MissingSnapshot: {model: facts.NoSnapshot, proof: facts.Differs},
		reference.EmptySnapshot:   {model: facts.NoConfig, proof: facts.Differs},
		reference.MissingBlob:     {model: facts.Dangling, proof: facts.Differs},
		reference.MissingCurrent:  {tree: facts.Absent, proof: facts.Unproven},
		reference.HalfCopied:      {tree: facts.Dangling, proof: facts.Unproven},
		reference.Truncated:       {model: facts.Cut, proof: facts.Differs},
		reference.Corrupt:         {proof: facts.Differs},
		reference.BadConfig:       {model: facts.BadContent, proof: facts.Differs},
	} {
		t.Run(string(damage), func(t *testing.T) {
			s := made(t)
			if err := s.Break(damage, scouts); err != nil {
				t.Fatal(err)
			}
			at := store.Store{Root: s.Root}
			look := at.Look(t.Context(), []facts.StoreWant{want(scouts)})
			m, tree := look.Models[0], look.Trees[0]
			if got := kinds(m.Faults); c.model != "" && !slices.Contains(got, c.model) || c.model == "" && len(got) > 0 {
				t.Errorf("model: %+v", m.Faults)
			}
			if c.tree != "" && (tree.Fault == nil || tree.Fault.Kind != c.tree) || c.tree == "" && tree.Fault != nil {
				t.Errorf("tree: %+v %+v", tree, tree.Fault)
			}
			p := at.Prove(t.Context(), look.Trees, store.Proving{})[0]
			if p.Verdict != c.proof {
				t.Errorf("proof: %+v", p)
			}
		})
	}
}

func TestStore_CorruptBlobIsNamed(t *testing.T) {
	s := made(t)
	if err := s.Break(reference.Corrupt, scouts); err != nil {
		t.Fatal(err)
	}
	at := store.Store{Root: s.Root}
	look := at.Look(t.Context(), []facts.StoreWant{want(scouts)})
	p := at.Prove(t.Context(), look.Trees, store.Proving{})[0]
	if len(p.Flaws) != 1 || p.Flaws[0].Kind != facts.FlawContent || !strings.Contains(p.Flaws[0].Path, "/blobs/") || p.Witnessed == 0 {
		t.Errorf("%+v", p)
	}
}

// another is a user of this host who is not root.
func another(t testing.TB) store.User {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can check access as another user")
	}
	return store.User{Name: "another", UID: 4242, GIDs: []int{4242}}
}

func TestStore_RootChecksAccessAsTheUser(t *testing.T) {
	user := another(t)
	for name, c := range map[string]struct {
		spoil func(s *reference.Store) (string, error) // returns the place
		needs string
		dir   bool
	}{
		"the store's parent": {func(s *reference.Store) (string, error) {
			dir := filepath.Dir(s.Root)
			return dir, os.Chmod(dir, 0o700)
		}, "x", true},
		"the store":        {func(s *reference.Store) (string, error) { return s.Root, os.Chmod(s.Root, 0o744) }, "x", true},
		"the store's list": {func(s *reference.Store) (string, error) { return s.Root, os.Chmod(s.Root, 0o711) }, "rx", true},
		"the agent's directory": {func(s *reference.Store) (string, error) {
			dir := filepath.Join(s.Root, "scout")
			return dir, os.Chmod(dir, 0o700)
		}, "rx", true},
		"the versions": {func(s *reference.Store) (string, error) {
			dir := filepath.Join(s.Root, "scout", "versions")
			return dir, os.Chmod(dir, 0o700)
		}, "x", true},
		"the blobs": {func(s *reference.Store) (string, error) {
			dir := filepath.Join(s.Dir(scouts), "blobs")
			return dir, os.Chmod(dir, 0o600)
		}, "x", true},
		"the snapshots": {func(s *reference.Store) (string, error) {
			dir := filepath.Join(s.Dir(scouts), "snapshots")
			return dir, os.Chmod(dir, 0o711)
		}, "rx", true},
		"the snapshot": {func(s *reference.Store) (string, error) {
			return s.Snapshot(scouts), os.Chmod(s.Snapshot(scouts), 0o711)
		}, "rx", true},
		"a listed part": {func(s *reference.Store) (string, error) {
			dir := filepath.Join(s.Snapshot(scouts), "1_Pooling")
			list := []byte(`[{"path":"","type":"x.Transformer"},{"path":"1_Pooling","type":"x.Pooling"}]`)
			return dir, errors.Join(os.WriteFile(filepath.Join(s.Snapshot(scouts), "modules.json"), list, 0o644), os.Mkdir(dir, 0o711), os.Chmod(dir, 0o711))
		}, "rx", true},
		"the weights": {func(s *reference.Store) (string, error) {
			path, err := filepath.EvalSymlinks(filepath.Join(s.Snapshot(scouts), "model.safetensors"))
			return path, errors.Join(err, os.Chmod(path, 0o600))
		}, "r", false},
		"the weights' owner": {func(s *reference.Store) (string, error) {
			path, err := filepath.EvalSymlinks(filepath.Join(s.Snapshot(scouts), "model.safetensors"))
			return path, errors.Join(err, os.Chmod(path, 0o400), os.Chown(path, 4243, 4243))
		}, "r", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := made(t)
			place, err := c.spoil(s)
			if err != nil {
				t.Fatal(err)
			}
			look := store.Store{Root: s.Root, Loader: &user}.Look(t.Context(), []facts.StoreWant{want(scouts)})
			d := denial(look)
			for _, m := range look.Models {
				for _, f := range m.Faults {
					if f.Kind != facts.Denied {
						t.Errorf("also %s of %s", f.Kind, f.Path)
					}
				}
			}
			if d == nil || d.Path != place || d.Needs != c.needs || d.Dir != c.dir || d.Class != "others" || d.Allowed {
				t.Errorf("%+v, want %s at %s", d, c.needs, place)
			}
			if look.User != "another" || !look.AsLoader() {
				t.Errorf("looked as %s", look.User)
			}
			if s := (store.Store{Root: s.Root}).Look(t.Context(), []facts.StoreWant{want(scouts)}); denial(s) != nil {
				t.Error("root itself is kept out")
			}
		})
	}
}

func denial(look facts.Store) *facts.StoreDenial {
	faults := []facts.StoreFault{}
	if look.Fault != nil {
		faults = append(faults, *look.Fault)
	}
	for _, t := range look.Trees {
		if t.Fault != nil {
			faults = append(faults, *t.Fault)
		}
	}
	for _, m := range look.Models {
		faults = append(faults, m.Faults...)
	}
	for _, f := range faults {
		if f.Kind == facts.Denied {
			return f.Denial
		}
	}
	return nil
}

func TestStore_ChecksAsAnotherUserLeaveTheProcessUnchanged(t *testing.T) {
	user := another(t)
	s := made(t)
	if err := os.Chmod(s.Root, 0o700); err != nil {
		t.Fatal(err)
	}
	store.Store{Root: s.Root, Loader: &user}.Look(t.Context(), wants())
	if _, err := os.ReadDir(s.Root); err != nil {
		t.Error(err)
	}
}

// spoiled is another way to break a model: a change to the directory of its snapshot.
var spoiled = map[string]struct {
	do   func(dir string) error
	want facts.FaultKind
}{
	"a git-lfs pointer for the weights": {func(dir string) error {
		return replace(dir+"/model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n")
	}, facts.Pointer},
	"weights without a byte": {func(dir string) error { return replace(dir+"/model.safetensors", "") }, facts.EmptyFile},
	"weights of zeros":       {func(dir string) error { return replace(dir+"/model.safetensors", strings.Repeat("\x00", 100)) }, facts.BadContent},
	"no weights":             {func(dir string) error { return os.Remove(dir + "/model.safetensors") }, facts.NoWeights},
	"a directory for the config": {func(dir string) error {
		return errors.Join(os.Remove(dir+"/config.json"), os.Mkdir(dir+"/config.json", 0o755))
	}, ""},
	"a pipe for the vocabulary": {func(dir string) error {
		return errors.Join(os.Remove(dir+"/vocab.txt"), syscall.Mkfifo(dir+"/vocab.txt", 0o644))
	}, facts.Odd},
	"a link out of the store": {func(dir string) error {
		return errors.Join(os.Remove(dir+"/vocab.txt"), os.Symlink("/etc/hostname", dir+"/vocab.txt"))
	}, facts.Escaping},
	"a link that leads nowhere": {func(dir string) error {
		return errors.Join(os.Remove(dir+"/vocab.txt"), os.Symlink("../../blobs/none", dir+"/vocab.txt"))
	}, facts.Dangling},
	"a link in a circle": {func(dir string) error {
		return errors.Join(os.Remove(dir+"/vocab.txt"), os.Symlink("vocab.txt", dir+"/vocab.txt"))
	}, facts.Dangling},
	"an index without its parts": {func(dir string) error {
		return errors.Join(os.Remove(dir+"/model.safetensors"),
			os.WriteFile(dir+"/model.safetensors.index.json", []byte(`{"weight_map":{"a":"model-00001-of-00002.safetensors"}}`), 0o644))
	}, facts.PartMissing},
	"a download that did not end": {func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "../../blobs/00.incomplete"), []byte("x"), 0o644)
	}, facts.Unfinished},
}

func replace(path, content string) error {
	return errors.Join(os.Remove(path), os.WriteFile(path, []byte(content), 0o644))
}

func TestStore_SnapshotFilesAreInspected(t *testing.T) {
	for name, c := range spoiled {
		t.Run(name, func(t *testing.T) {
			s := made(t)
			if err := c.do(s.Snapshot(scouts)); err != nil {
				t.Fatal(err)
			}
			look := store.Store{Root: s.Root}.Look(t.Context(), []facts.StoreWant{want(scouts)})
			if got := kinds(look.Models[0].Faults); c.want != "" && !slices.Contains(got, c.want) {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestStore_ModelIsFoundAsTheLoaderFindsIt(t *testing.T) {
	s := made(t)
	plain := filepath.Join(s.Root, "plain", "versions", "v2")
	write := func(path, content string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write(plain+"/config.json", "{}")
	write(plain+"/model.gguf", emptyGGUF)
	write(s.Root+"/plain/adapters/a/adapter_config.json", "{}")
	write(s.Root+"/plain/adapters/a/adapter_model.bin", "\x80\x02")
	for name, c := range map[string]struct {
		want facts.StoreWant
		dir  string
		kind facts.FaultKind
		tree facts.FaultKind
	}{
		"a version without the cache's layout is the model itself": {
			want: facts.StoreWant{Agent: "plain", ID: "any/thing", Owner: "plain", Version: "v2"}, dir: plain,
		},
		"no current": {want: facts.StoreWant{Agent: "plain", ID: "x", Owner: "plain"}, tree: facts.Absent},
		"no agent":   {want: facts.StoreWant{Agent: "none", ID: "x", Owner: "none"}, tree: facts.Absent},
		"a missing version": {
			want: facts.StoreWant{Agent: "plain", ID: "x", Owner: "plain", Version: "v3"}, tree: facts.Absent,
		},
		"a path instead": {
			want: facts.StoreWant{Agent: "a", ID: "x", Owner: "plain", Path: "plain/versions/v2"}, dir: plain,
		},
		"a missing path falls back to the version": {
			want: facts.StoreWant{Agent: "a", ID: "x", Owner: "plain", Version: "v2", Path: "nowhere"}, dir: plain,
		},
		"an adapter": {
			want: facts.StoreWant{Agent: "a", ID: "x", Owner: "plain", Version: "v2", Adapter: "plain/adapters/a"}, dir: plain,
		},
		"a missing adapter": {
			want: facts.StoreWant{Agent: "a", ID: "x", Owner: "plain", Version: "v2", Adapter: "plain/adapters/b"}, dir: plain, kind: facts.NoAdapter,
		},
		"an adapter without a base": {
			want: facts.StoreWant{Agent: "a", Base: "b", BaseUnknown: true, Adapter: "plain/adapters/a"},
			dir:  filepath.Join(s.Root, "plain/adapters/a"), kind: facts.NoBase,
		},
	} {
		look := store.Store{Root: s.Root}.Look(t.Context(), []facts.StoreWant{c.want})
		m := look.Models[0]
		var tree facts.FaultKind
		if m.Tree >= 0 && look.Trees[m.Tree].Fault != nil {
			tree = look.Trees[m.Tree].Fault.Kind
		}
		if m.Dir != c.dir || tree != c.tree || c.kind == "" && len(m.Faults) > 0 || c.kind != "" && !slices.Contains(kinds(m.Faults), c.kind) {
			t.Errorf("%s: %+v, tree %q", name, m, tree)
		}
	}
}

func TestStore_CurrentMayBeMoreThanALink(t *testing.T) {
	for name, c := range map[string]struct {
		target string // "": a directory
		kind   facts.StoreLink
		fault  facts.FaultKind
	}{
		"a directory":             {"", facts.CurrentDirectory, ""},
		"another agent's version": {"../memory/versions/v1", facts.CurrentElsewhere, ""},
		"out of the store":        {"/etc", facts.CurrentLink, facts.Escaping},
		"nowhere":                 {"versions/v9", facts.CurrentLink, facts.Dangling},
		"itself":                  {"current", facts.CurrentLink, facts.Dangling},
		"a file":                  {"../AGENT_MODEL_MAP.json", facts.CurrentLink, facts.NoDirectory},
	} {
		s := made(t)
		current := filepath.Join(s.Root, "scout", "current")
		err := os.Remove(current)
		if c.target == "" {
			err = errors.Join(err, os.Rename(filepath.Join(s.Root, "scout", "versions", "v1"), current))
		} else {
			err = errors.Join(err, os.Symlink(c.target, current))
		}
		if err != nil {
			t.Fatal(err)
		}
		tree := store.Store{Root: s.Root}.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees[0]
		var fault facts.FaultKind
		if tree.Fault != nil {
			fault = tree.Fault.Kind
		}
		if tree.Current != c.kind || fault != c.fault {
			t.Errorf("%s: %+v %v", name, tree, fault)
		}
	}
}

func TestStore_RootMayBeAtFault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for root, want := range map[string]facts.FaultKind{file: facts.NoDirectory, file + ".none": facts.Absent} {
		look := store.Store{Root: root}.Look(t.Context(), wants())
		if look.Fault == nil || look.Fault.Kind != want || want == facts.NoDirectory && look.Fault.Detail != "" {
			t.Errorf("%s: %+v", root, look.Fault)
		}
	}
}

func TestStore_SealNamesEachFileThatDiffers(t *testing.T) {
	s := made(t)
	at := store.Store{Root: s.Root}
	trees := at.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees
	before, err := reference.Checksum(trees[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := at.Seal(t.Context(), trees[0], store.Proving{}); err != nil || p.Verdict != facts.Whole {
		t.Fatalf("%+v %v", p, err)
	}
	if after, err := reference.Checksum(trees[0].Path); err != nil || after != before {
		t.Errorf("the seal changes upstream's checksum: %s, %s %v", before, after, err)
	}
	if p := at.Prove(t.Context(), trees, store.Proving{})[0]; p.Verdict != facts.Whole || p.By != "seal" {
		t.Fatalf("%+v", p)
	}
	snapshot := s.Snapshot(scouts)
	blob, _ := filepath.EvalSymlinks(snapshot + "/vocab.txt")
	err = errors.Join(
		os.WriteFile(trees[0].Path+"/extra", nil, 0o644),
		os.Remove(snapshot+"/config.json"),
		os.Remove(snapshot+"/tokenizer_config.json"), os.Symlink("vocab.txt", snapshot+"/tokenizer_config.json"),
		os.WriteFile(blob, []byte("short"), 0o644),
		s.Break(reference.Corrupt, scouts),
	)
	if err != nil {
		t.Fatal(err)
	}
	p := at.Prove(t.Context(), trees, store.Proving{})[0]
	found := map[facts.FlawKind]int{}
	for _, f := range p.Flaws {
		found[f.Kind]++
	}
	want := map[facts.FlawKind]int{facts.FlawExtra: 1, facts.FlawMissing: 1, facts.FlawLink: 1, facts.FlawSize: 1, facts.FlawContent: 1}
	for kind, n := range want {
		if found[kind] != n {
			t.Errorf("%s: %d, want %d: %+v", kind, found[kind], n, p.Flaws)
		}
	}
	if p.Verdict != facts.Differs {
		t.Errorf("%+v", p)
	}
}

// Only a blob can be compared with its name; what else is wrong shows in the checksum.
func TestStore_FaultyVersionIsNotSealed(t *testing.T) {
	for name, damage := range map[string]func(s *reference.Store, version string) error{
		"a blob": func(s *reference.Store, _ string) error { return s.Break(reference.Corrupt, scouts) },
		"one file more": func(_ *reference.Store, version string) error {
			return os.WriteFile(version+"/extra.bin", []byte("x"), 0o644)
		},
	} {
		s := made(t)
		at := store.Store{Root: s.Root}
		tree := at.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees[0]
		if err := damage(s, tree.Path); err != nil {
			t.Fatal(err)
		}
		p, err := at.Seal(t.Context(), tree, store.Proving{})
		if err != nil || p.Verdict != facts.Differs {
			t.Errorf("%s: %+v %v", name, p, err)
		}
		if _, err := os.Stat(filepath.Join(tree.Path, ".justnews")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: left behind: %v", name, err)
		}
	}
}

// The tree is that of the look, until a file of it has changed.
func TestProve_FileThatChangedSinceTheLookIsReadAgain(t *testing.T) {
	s := made(t)
	at := store.New(s.Root, nil, nil)
	trees := at.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees
	if err := os.Chtimes(s.Snapshot(scouts)+"/vocab.txt", time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if p := at.Prove(t.Context(), trees, store.Proving{})[0]; p.Verdict != facts.Whole {
		t.Errorf("%+v", p)
	}
}

// A file that is as young as the look at it can change without another time stamp.
func TestStore_SealOfYoungFilesIsNotRemembered(t *testing.T) {
	s := made(t)
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	cache := digest.Open([]digest.Source{{Dir: root, Write: true, Trusted: []int{os.Geteuid()}}})
	defer cache.Close()
	for !settled(t, s) {
	}
	at := store.New(s.Root, nil, cache)
	trees := at.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees
	if p, err := at.Seal(t.Context(), trees[0], store.Proving{}); err != nil || p.Verdict != facts.Whole {
		t.Fatalf("%+v %v", p, err)
	}
	for name, c := range map[string]struct {
		stamp time.Time
		want  facts.ProofVerdict
	}{"old": {time.Now().Add(-time.Hour), facts.Whole}, "young": {time.Now().Add(time.Minute), facts.Unproven}} {
		if err := os.Chtimes(s.Snapshot(scouts)+"/vocab.txt", time.Time{}, c.stamp); err != nil {
			t.Fatal(err)
		}
		for name == "old" && !settled(t, s) {
		}
		if p := at.Prove(t.Context(), trees, store.Proving{})[0]; p.Verdict != facts.Whole || p.By != "seal" {
			t.Errorf("%s: %+v", name, p)
		}
		if p := at.Prove(t.Context(), trees, store.Proving{Remembered: true})[0]; p.Verdict != c.want {
			t.Errorf("%s, remembered: %+v, want %s", name, p, c.want)
		}
	}
}

func TestStore_SealOfAnotherChecksumProvesNothing(t *testing.T) {
	s := made(t)
	at := store.Store{Root: s.Root}
	tree := at.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees[0]
	if _, err := at.Seal(t.Context(), tree, store.Proving{}); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(tree.Path, "manifest.json")
	if err := os.WriteFile(manifest, []byte(`{"version":"v1","checksum":"`+strings.Repeat("0", 64)+`"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	p := at.Prove(t.Context(), []facts.StoreTree{tree}, store.Proving{})[0]
	if p.By != "manifest" || p.Verdict == facts.Whole || p.SealFault == "" {
		t.Errorf("%+v", p)
	}
}

func TestStore_UnusableManifestProvesNothing(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"missing":       {"", ""},
		"not JSON":      {"{", "not JSON"},
		"no checksum":   {`{"version":"v1"}`, "no checksum"},
		"empty":         {`{"checksum":""}`, "no checksum"},
		"not a SHA-256": {`{"checksum":"abc"}`, "not a SHA-256"},
	} {
		s := made(t)
		at := store.Store{Root: s.Root}
		tree := at.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees[0]
		err := os.Remove(filepath.Join(tree.Path, "manifest.json"))
		if c.text != "" {
			err = os.WriteFile(filepath.Join(tree.Path, "manifest.json"), []byte(c.text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		p := at.Prove(t.Context(), []facts.StoreTree{tree}, store.Proving{})[0]
		if p.Verdict != facts.NoManifest || !strings.Contains(p.ManifestFault, c.says) || c.says != "" && p.ManifestFault == "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestStore_UnchangedFilesAreNotReadAgain(t *testing.T) {
	s := made(t)
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	var before *digest.Cache
	open := func() *digest.Cache {
		before.Close()
		c := digest.Open([]digest.Source{{Dir: root, Write: true, Trusted: []int{os.Geteuid()}}})
		before = c
		return c
	}
	for !settled(t, s) {
	}
	for pass, want := range []bool{true, false} {
		at := store.Store{Root: s.Root, Cache: open()}
		look := at.Look(t.Context(), wants())
		for _, p := range at.Prove(t.Context(), look.Trees, store.Proving{}) {
			if p.Verdict != facts.Whole || (p.Read > 0) != want {
				t.Errorf("pass %d: %+v", pass, p)
			}
		}
	}
	// One changed file is read again, and its version with it; no other.
	if err := s.Break(reference.Corrupt, scouts); err != nil {
		t.Fatal(err)
	}
	at := store.Store{Root: s.Root, Cache: open()}
	for _, p := range at.Prove(t.Context(), at.Look(t.Context(), wants()).Trees, store.Proving{}) {
		if (p.Read > 0) != (p.Owner == "scout") || (p.Verdict == facts.Whole) == (p.Owner == "scout") {
			t.Errorf("%+v", p)
		}
	}
}

func TestStore_FaultsAreRemembered(t *testing.T) {
	s := made(t)
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	var before *digest.Cache
	open := func() store.Store {
		before.Close()
		c := digest.Open([]digest.Source{{Dir: root, Write: true, Trusted: []int{os.Geteuid()}}})
		before = c
		return store.New(s.Root, nil, c)
	}
	recall := func() facts.StoreProof {
		at := open()
		p := at.Prove(t.Context(), at.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees, store.Proving{Remembered: true})[0]
		if p.Read != 0 {
			t.Errorf("%d bytes were read to remember", p.Read)
		}
		return p
	}
	prove := func() {
		for !settled(t, s) {
		}
		at := open()
		at.Prove(t.Context(), at.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees, store.Proving{})
	}
	if p := recall(); p.Verdict != facts.Unproven {
		t.Errorf("before anything was hashed: %+v", p)
	}
	prove()
	if p := recall(); p.Verdict != facts.Whole {
		t.Errorf("whole: %+v", p)
	}
	if err := s.Break(reference.Corrupt, scouts); err != nil {
		t.Fatal(err)
	}
	if p := recall(); p.Verdict != facts.Unproven {
		t.Errorf("changed since: %+v", p)
	}
	prove()
	if p := recall(); p.Verdict != facts.Differs || len(p.Flaws) != 1 {
		t.Errorf("corrupt: %+v", p)
	}
}

// settled reports whether the store is old enough for its files to be remembered.
func settled(t testing.TB, s *reference.Store) bool {
	t.Helper()
	tree, err := digest.Walk(t.Context(), s.Root)
	if err != nil {
		t.Fatal(err)
	}
	return tree.Settled(time.Now())
}

// acl gives a file an access control list that refuses one user, whatever the
// bits say: what setfacl -m u:UID:--- writes (linux/posix_acl_xattr.h).
func acl(t *testing.T, path string, uid uint32) {
	t.Helper()
	list := binary.LittleEndian.AppendUint32(nil, 2) // POSIX_ACL_XATTR_VERSION
	for _, e := range []struct {
		tag, perm uint16
		id        uint32
	}{{1, 6, ^uint32(0)}, {2, 0, uid}, {4, 4, ^uint32(0)}, {16, 4, ^uint32(0)}, {32, 4, ^uint32(0)}} {
		list = binary.LittleEndian.AppendUint16(list, e.tag)
		list = binary.LittleEndian.AppendUint16(list, e.perm)
		list = binary.LittleEndian.AppendUint32(list, e.id)
	}
	err := unix.Setxattr(path, "system.posix_acl_access", list, 0)
	if errors.Is(err, unix.ENOTSUP) {
		t.Skip("the file system of the temporary directory has no access control lists")
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestStore_AccessControlListIsReported(t *testing.T) {
	user := another(t)
	s := made(t)
	path, err := filepath.EvalSymlinks(filepath.Join(s.Snapshot(scouts), "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	acl(t, path, 4242)
	d := denial(store.Store{Root: s.Root, Loader: &user}.Look(t.Context(), []facts.StoreWant{want(scouts)}))
	if d == nil || d.Path != path || !d.ACL || d.Mode != 0o644 {
		t.Errorf("%+v, want the list of %s", d, path)
	}
}
