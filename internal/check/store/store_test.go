// SPDX-License-Identifier: Apache-2.0

package store

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/modelmap"
)

const storeMap = `{"base_models":{"mistral":{"hf_id":"org/mistral","model_store_agent":"base_models","model_store_version":"v7"}},
"agents":{"scout":["org/bert",["transformers","org/roberta"]],
"critic":[{"base_ref":"mistral","adapter_name":"critic_v1","adapter_model_store_path":"critic/adapters/v1"},{"base_ref":"mystral","adapter_name":"x"}]}}`

func parsedMap(t testing.TB, text string) *modelmap.Map {
	t.Helper()
	m, problems := modelmap.Parse([]byte(text))
	if m == nil {
		t.Fatal(problems)
	}
	return m
}

func TestStore_RequirementsFollowUpstreamsLoader(t *testing.T) {
	wants := Wants(parsedMap(t, storeMap))
	if len(wants) != 4 {
		t.Fatalf("%+v", wants)
	}
	for i, want := range []facts.StoreWant{
		{Agent: "scout", Model: "org/bert", ID: "org/bert", Owner: "scout", Line: 2, Column: 20},
		{Agent: "scout", Model: "org/roberta", ID: "org/roberta", Owner: "scout", Line: 2, Column: 31},
		{Agent: "critic", Model: "critic_v1", ID: "org/mistral", Owner: "base_models", Version: "v7", Base: "mistral", Adapter: "critic/adapters/v1", Line: 3, Column: 11},
		{Agent: "critic", Model: "x", ID: "x", Owner: "critic", Base: "mystral", BaseUnknown: true, Line: 3, Column: 109},
	} {
		if wants[i] != want {
			t.Errorf("%d: %+v\nwant %+v", i, wants[i], want)
		}
	}
	if own := Wants(parsedMap(t, storeMap), "scout"); len(own) != 2 || own[0].Agent != "scout" {
		t.Errorf("own: %+v", own)
	}
	if none := Wants(nil); none != nil {
		t.Errorf("without a map: %+v", none)
	}
}

const root = "/opt/justnews/models"

// whole is a look at the store of storeMap that found nothing wrong.
func whole(t testing.TB) (facts.Store, Wanted) {
	t.Helper()
	m := parsedMap(t, storeMap)
	wants := Wants(m)[:3]
	look := facts.Store{
		Root: root, User: "justnews", Loader: "justnews", Free: 1 << 40, Agents: []string{"base_models", "critic", "scout"},
		Trees: []facts.StoreTree{
			{Owner: "scout", Name: "v1", Path: root + "/scout/versions/v1", Named: root + "/scout/current", Current: facts.CurrentLink, IDs: []string{"org/bert", "org/roberta"}},
			{Owner: "base_models", Name: "v7", Path: root + "/base_models/versions/v7", Named: root + "/base_models/versions/v7", Current: facts.CurrentUnused, IDs: []string{"org/mistral"}},
		},
	}
	for i, w := range wants {
		look.Models = append(look.Models, facts.StoreModel{Want: w, Tree: i / 2, Dir: root + "/" + w.Owner, Bytes: 1000, Files: 4})
	}
	return look, Wanted{Models: config.Models{Strict: true, Map: "/etc/justnews/AGENT_MODEL_MAP.json"}, Listed: m}
}

func TestStore_WholeStoreHasNoProblems(t *testing.T) {
	look, w := whole(t)
	for _, thorough := range []bool{false, true} {
		w.Thorough = thorough
		if p := Judge(look, w); len(p) > 0 {
			t.Errorf("%v", p)
		}
	}
}

// storeCase is one result of a look, and the expected findings.
type storeCase struct {
	spoil    func(*facts.Store)
	code     diag.Code
	status   diag.Status
	severity diag.Severity
	says     string // in message, evidence or fix
	subject  string // where it is of interest
	thorough bool
	lax      bool // models.strict = false
}

func danglingCurrent(s *facts.Store) {
	treeFault(facts.Dangling, root+"/scout/current", "")(s)
	s.Trees[0].Fault.Target = "versions/v2"
}

func treeFault(kind facts.FaultKind, path, detail string) func(*facts.Store) {
	return func(s *facts.Store) {
		s.Trees[0].Path, s.Trees[0].Fault = "", &facts.StoreFault{Kind: kind, Path: path, Detail: detail}
	}
}

func modelFault(kind facts.FaultKind, path string) func(*facts.Store) {
	return func(s *facts.Store) {
		s.Models[0].Faults = []facts.StoreFault{{Kind: kind, Path: path, Detail: "evidence"}}
	}
}

func deniedBy(d facts.StoreDenial) func(*facts.Store) {
	return func(s *facts.Store) {
		s.Models[0].Faults = []facts.StoreFault{{Kind: facts.Denied, Path: "/the/file", Denial: &d}}
	}
}

var storeCases = map[string]storeCase{
	"no root": {spoil: func(s *facts.Store) { s.Fault = &facts.StoreFault{Kind: facts.Absent, Path: root} },
		code: diag.StoreRoot, status: 66, says: root + " does not exist"},
	"a root that is a file": {spoil: func(s *facts.Store) { s.Fault = &facts.StoreFault{Kind: facts.NoDirectory, Path: root} },
		code: diag.StoreRoot, status: 66, says: "the Model Store is not a directory"},
	"a root that cannot be searched": {spoil: func(s *facts.Store) {
		s.Fault = &facts.StoreFault{Kind: facts.Denied, Path: root, Denial: &facts.StoreDenial{Path: "/opt", Dir: true, Needs: "x", Class: "others"}}
	}, code: diag.StorePermission, status: 77, says: "chmod o+x -- /opt; justnews-gate retry"},
	"a root with an I/O error": {spoil: func(s *facts.Store) {
		s.Fault = &facts.StoreFault{Kind: facts.Unreadable, Path: root, Detail: "stale NFS file handle"}
	}, code: diag.StoreRead, status: 65, says: "stale NFS file handle"},
	"an agent with an I/O error":  {spoil: treeFault(facts.Unreadable, root+"/scout", "input/output error"), code: diag.StoreRead, status: 65, says: "org/roberta cannot load"},
	"a version with an I/O error": {spoil: treeFault(facts.Unreadable, root+"/scout/versions/v1", "input/output error"), code: diag.StoreRead, status: 65, says: "mount the file system again"},
	"no agent":                    {spoil: treeFault(facts.Absent, root+"/scout", ""), code: diag.StoreAgent, status: 66, says: "scout: org/bert, scout: org/roberta cannot load"},
	"a model without its organization": {spoil: func(s *facts.Store) {
		modelFault(facts.NoModel, "/missing")(s)
		s.Models[0].Want.ID, s.Models[0].Want.Model = "bert", "bert"
		s.Trees[0].IDs = []string{"org/bert", "org/roberta"}
	}, code: diag.MapName, status: 78, says: `correct "bert" to "org/bert"`},
	"a misspelt agent": {spoil: func(s *facts.Store) {
		treeFault(facts.Absent, root+"/scout", "")(s)
		s.Agents = []string{"base_models", "critic", "scouts"}
	}, code: diag.MapName, status: 78, says: `correct "scout" to "scouts" in the orchestrator's AGENT_MODEL_MAP.json`},
	"no current": {spoil: func(s *facts.Store) {
		treeFault(facts.Absent, root+"/scout/current", "")(s)
		s.Trees[0].Others = []string{"v1"}
	}, code: diag.StoreVersion, status: 66, says: "ln -sfn -- versions/v1 " + root + "/scout/current; justnews-gate retry"},
	"a dangling current":  {spoil: danglingCurrent, code: diag.StoreVersion, status: 66, says: "is a dangling link"},
	"an escaping current": {spoil: treeFault(facts.Escaping, root+"/scout/current", "it points to /mnt"), code: diag.StoreVersion, status: 66, says: "it points to /mnt"},
	"a current that is a file": {spoil: func(s *facts.Store) {
		treeFault(facts.NoDirectory, root+"/scout/current", "")(s)
		s.Trees[0].Others = []string{"v1"}
	}, code: diag.StoreVersion, status: 66, says: "make \"" + root + "/scout/current\" a link to the right one of versions"},
	"no version at all": {spoil: treeFault(facts.Absent, root+"/scout/current", ""), code: diag.StoreVersion, status: 66,
		says: "expected a link current to versions/VERSION, within the store\ncopy a version below \"" + root + "/scout/versions\" and point current at it"},
	"two versions and no current": {spoil: func(s *facts.Store) {
		treeFault(facts.Absent, root+"/scout/current", "")(s)
		s.Trees[0].Others = []string{"v1", "v2"}
	}, code: diag.StoreVersion, status: 66, says: "; existing versions: v1, v2; expected"},
	"no version that the map names": {spoil: func(s *facts.Store) {
		s.Trees[1].Path, s.Trees[1].Fault = "", &facts.StoreFault{Kind: facts.Absent, Path: root + "/base_models/versions/v7"}
	}, code: diag.StoreVersion, status: 66,
		says: "critic: critic_v1 cannot load\n" + root + "/base_models/versions/v7 does not exist; expected the directory " + root + "/base_models/versions/v7\ncopy the version to"},
	"a directory of the map without an owner": {spoil: func(s *facts.Store) {
		s.Trees[1].Owner, s.Trees[1].Name, s.Trees[1].Named = "", "", "/srv/base"
		s.Trees[1].Path, s.Trees[1].Fault = "", &facts.StoreFault{Kind: facts.Absent, Path: "/srv/base"}
	}, code: diag.StoreVersion, status: 66, says: "expected the directory /srv/base", subject: "/srv/base"},
	"no current but a copy that was not finished": {spoil: func(s *facts.Store) {
		treeFault(facts.Absent, root+"/scout/current", "")(s)
		s.Trees[0].Name, s.Trees[0].Staged = "", []string{root + "/scout/versions/v1.tmp"}
	}, code: diag.StoreStaged, status: 66, says: "finish the copy into \"" + root + "/scout/versions/v1.tmp\""},
	"no current, a whole version and another copy": {spoil: func(s *facts.Store) {
		treeFault(facts.Absent, root+"/scout/current", "")(s)
		s.Trees[0].Name, s.Trees[0].Staged, s.Trees[0].Others = "", []string{root + "/scout/versions/v2.tmp"}, []string{"v1"}
	}, code: diag.StoreVersion, status: 66, says: "ln -sfn -- versions/v1"},
	"an escaping current and a copy of something": {spoil: func(s *facts.Store) {
		treeFault(facts.Escaping, root+"/scout/current", "")(s)
		s.Trees[0].Name, s.Trees[0].Staged = "", []string{root + "/scout/versions/v2.tmp"}
	}, code: diag.StoreVersion, status: 66, says: "points outside the store"},
	"no version that the map names, but a copy of another": {spoil: func(s *facts.Store) {
		s.Trees[1].Path, s.Trees[1].Fault = "", &facts.StoreFault{Kind: facts.Absent, Path: root + "/base_models/versions/v7"}
		s.Trees[1].Staged = []string{root + "/base_models/versions/v8.tmp"}
	}, code: diag.StoreVersion, status: 66, says: "copy the version to"},
	"a half-copied version": {spoil: func(s *facts.Store) {
		danglingCurrent(s)
		s.Trees[0].Named, s.Trees[0].Staged = root+"/scout/current", []string{root + "/scout/versions/v2.tmp"}
	}, code: diag.StoreStaged, status: 66, says: "v2.tmp"},
	"a version in use that is still being copied": {spoil: func(s *facts.Store) {
		s.Trees[0].Path, s.Trees[0].Named, s.Trees[0].Others = root+"/scout/versions/v2.tmp", root+"/scout/current", []string{"v1"}
	}, code: diag.StoreStaged, status: 66, says: "or point current at a complete version; existing versions: v1"},
	"a staging directory next to a complete version": {spoil: func(s *facts.Store) { s.Trees[0].Staged = []string{root + "/scout/versions/v2.tmp"} },
		code: diag.StoreStaged, severity: diag.Warning, says: "rm -r"},
	"a current that is a directory": {spoil: func(s *facts.Store) { s.Trees[0].Current = facts.CurrentDirectory }, code: diag.StoreVersion, severity: diag.Warning},
	"a current that is another's":   {spoil: func(s *facts.Store) { s.Trees[0].Current = facts.CurrentElsewhere }, code: diag.StoreVersion, severity: diag.Warning},

	"no model":    {spoil: modelFault(facts.NoModel, root+"/scout/versions/v1/models--org--bert"), code: diag.StoreSnapshot, status: 66, says: "copy the snapshot to \"" + root + "/scout/versions/v1/models--org--bert\""},
	"no snapshot": {spoil: modelFault(facts.NoSnapshot, "/m/snapshots"), code: diag.StoreSnapshot, status: 66, says: "copy the snapshot to \"/m\", then: justnews-gate retry"},
	"no config":   {spoil: modelFault(facts.NoConfig, "/m"), code: diag.StoreSnapshot, status: 66},
	"a misspelt model": {spoil: func(s *facts.Store) {
		modelFault(facts.NoModel, "/m")(s)
		s.Trees[0].IDs = []string{"org/berts", "org/roberta"}
	}, code: diag.MapName, status: 78, says: `correct "org/bert" to "org/berts"`},
	"a near name that the map lists itself is no misspelling": {spoil: func(s *facts.Store) {
		modelFault(facts.NoModel, "/m")(s)
		s.Models[1].Want.ID, s.Trees[0].IDs = "org/berts", []string{"org/berts"}
	}, code: diag.StoreSnapshot, status: 66},
	"no base model": {spoil: func(s *facts.Store) {
		s.Models[2].Faults = []facts.StoreFault{{Kind: facts.NoModel, Path: "/b"}}
		s.Trees[1].IDs = nil
	},
		code: diag.StoreBase, status: 66, says: "copy the base model to \"/b\""},
	"an undefined base model": {spoil: func(s *facts.Store) {
		s.Models[2].Want.Base = "mystral"
		s.Models[2].Faults = []facts.StoreFault{{Kind: facts.NoBase, Path: "mystral"}}
	}, code: diag.StoreBase, status: 66, says: `base_models does not define "mystral", the nearest is "mistral"`},
	"no adapter":                         {spoil: modelFault(facts.NoAdapter, "/a"), code: diag.StoreAdapter, status: 66},
	"no vocabulary":                      {spoil: modelFault(facts.NoTokenizer, "/m/vocab.txt"), code: diag.StoreFile, status: 66},
	"no weights":                         {spoil: modelFault(facts.NoWeights, "/m"), code: diag.StoreFile, status: 66},
	"no weights, asked":                  {spoil: modelFault(facts.NoWeights, "/m"), code: diag.StoreFile, status: 66, thorough: true},
	"a missing part":                     {spoil: modelFault(facts.PartMissing, "/m/p"), code: diag.StoreFile, status: 66},
	"a dangling link":                    {spoil: modelFault(facts.Dangling, "/m/l"), code: diag.StoreLink, status: 66},
	"an escaping link":                   {spoil: modelFault(facts.Escaping, "/m/l"), code: diag.StoreLink, status: 66},
	"a pointer":                          {spoil: modelFault(facts.Pointer, "/m/w"), code: diag.StorePointer, status: 66},
	"an empty file":                      {spoil: modelFault(facts.EmptyFile, "/m/w"), code: diag.StoreEmpty, status: 66},
	"a bad header":                       {spoil: modelFault(facts.BadContent, "/m/w"), code: diag.StoreCorrupt, status: 65},
	"a cut file":                         {spoil: modelFault(facts.Cut, "/m/w"), code: diag.StoreCorrupt, status: 65},
	"a disk that fails":                  {spoil: modelFault(facts.Unreadable, "/m/w"), code: diag.StoreRead, status: 65},
	"a pipe":                             {spoil: modelFault(facts.Odd, "/m/w"), code: diag.StoreFile, status: 66},
	"a kind of the future":               {spoil: modelFault("new", "/m/w"), code: diag.StoreFile, status: 66},
	"an unfinished download":             {spoil: modelFault(facts.Unfinished, "/m/b.incomplete"), code: diag.StoreStaged, severity: diag.Warning},
	"missing, but downloads are allowed": {spoil: modelFault(facts.NoModel, "/m"), lax: true, code: diag.StoreSnapshot, severity: diag.Warning},
	"corrupt, although downloads are allowed": {spoil: modelFault(facts.Cut, "/m"), lax: true, code: diag.StoreCorrupt, status: 65},
	"two snapshots": {spoil: func(s *facts.Store) { s.Models[0].Snapshots, s.Models[0].Main = []string{"a", "b"}, "b" },
		code: diag.StoreSnapshot, severity: diag.Warning, says: "refs/main names another"},
	"a file that was copied without its directory": {spoil: func(s *facts.Store) { modelFault(facts.EmptyFile, "/m/w")(s); s.Models[0].Dir = "" },
		code: diag.StoreEmpty, status: 66, says: "copy the snapshot again to \"/m\""},
	"a file of a snapshot": {spoil: func(s *facts.Store) {
		modelFault(facts.EmptyFile, "/blobs/x")(s)
		s.Models[0].Dir = "/m/models--a--b/snapshots/1"
	},
		code: diag.StoreEmpty, status: 66, says: "copy the snapshot again to \"/m/models--a--b\""},
	"a file of a directory that is no snapshot": {spoil: func(s *facts.Store) { modelFault(facts.EmptyFile, "/x")(s); s.Models[0].Dir = "/m/adapter" },
		code: diag.StoreEmpty, status: 66, says: "evidence; expected a file with content\ncopy the snapshot again to \"/m/adapter\""},
	"no room": {spoil: func(s *facts.Store) { s.Free = 1500 }, thorough: true, code: diag.StoreSpace, severity: diag.Warning, says: "1 KiB free; expected at least 2 KiB"},

	"a file of another group": {spoil: deniedBy(facts.StoreDenial{Path: "/m/w", Needs: "r", Mode: 0o640, Class: "others"}),
		code: diag.StorePermission, status: 77, says: "chmod -R o+rX -- /m; "},
	"a file of its own group": {spoil: deniedBy(facts.StoreDenial{Path: "/m/w", Needs: "r", Mode: 0o600, Class: "group"}),
		code: diag.StorePermission, status: 77, says: "chmod -R g+rX -- /m; "},
	"a directory above": {spoil: deniedBy(facts.StoreDenial{Path: "/the dir", Dir: true, Needs: "x", Mode: 0o700, Class: "others"}),
		code: diag.StorePermission, status: 77, says: "chmod o+x -- '/the dir'; "},
	"a directory above, by its message": {spoil: deniedBy(facts.StoreDenial{Path: "/d", Dir: true, Needs: "x", Mode: 0o700, Class: "others"}),
		code: diag.StorePermission, status: 77, says: "the user justnews may not search this directory: scout: org/bert cannot load"},
	"a directory of the store": {spoil: deniedBy(facts.StoreDenial{Path: root + "/scout/versions", Dir: true, Needs: "x", Mode: 0o700, Class: "others"}),
		code: diag.StorePermission, status: 77, says: "chmod -R o+rX -- " + root + "/scout/versions; "},
	"an ACL": {spoil: deniedBy(facts.StoreDenial{Path: root + "/m/w", Needs: "r", Mode: 0o644, Class: "others", Allowed: true, ACL: true}),
		code: diag.StorePermission, status: 77, says: "setfacl -R -m u:justnews:rX -- " + root + "/m/w; "},
	"an ACL above the store": {spoil: deniedBy(facts.StoreDenial{Path: "/opt", Dir: true, Needs: "x", Mode: 0o755, Class: "others", Allowed: true, ACL: true}),
		code: diag.StorePermission, status: 77, says: "setfacl -m u:justnews:x -- /opt; "},
	"neither bits nor an ACL": {spoil: deniedBy(facts.StoreDenial{Path: "/m/w", Needs: "r", Mode: 0o644, Class: "others", Allowed: true}),
		code: diag.StorePermission, status: 77, says: "a security module or a mount denies it"},
	"a home that is hidden": {spoil: deniedBy(facts.StoreDenial{Path: "/home", Dir: true, Needs: "x", Class: "others"}),
		code: diag.StorePermission, status: 77, says: "protect_home"},
	"somebody else who looks": {spoil: func(s *facts.Store) {
		deniedBy(facts.StoreDenial{Path: "/m/w", Needs: "r", Class: "others"})(s)
		s.User = "alice"
	}, code: diag.StorePermission, severity: diag.Warning, says: "it is unknown whether justnews may"},
	"somebody else who was asked to look": {spoil: func(s *facts.Store) {
		deniedBy(facts.StoreDenial{Path: "/m/w", Needs: "r", Class: "others"})(s)
		s.User = "alice"
	}, thorough: true, code: diag.StorePermission, status: 77, says: "sudo justnews-gate models verify"},
}

func TestStore_EachFaultHasItsCodeStatusEvidenceAndFix(t *testing.T) {
	for name, c := range storeCases {
		t.Run(name, func(t *testing.T) {
			look, w := whole(t)
			w.Thorough, w.Strict = c.thorough, !c.lax
			c.spoil(&look)
			problems := Judge(look, w)
			if len(problems) != 1 {
				t.Fatalf("%v", problems)
			}
			p := problems[0]
			if p.Code != c.code || p.Severity != c.severity || p.Status() != c.status || p.Fix.String() == "" || p.Message == "" {
				t.Errorf("%+v, status %d", p, p.Status())
			}
			if c.subject != "" && p.Subject != c.subject {
				t.Errorf("of %q, want %q", p.Subject, c.subject)
			}
			if text := p.Message + "\n" + p.Seen + "; expected " + p.Expected + "\n" + p.Fix.String(); !strings.Contains(text, c.says) {
				t.Errorf("%s\nlacks %s", text, c.says)
			}
			checkFix(t, p)
		})
	}
}

// checkFix: a command that starts units resets their start limit first.
func checkFix(t *testing.T, p diag.Problem) {
	t.Helper()
	if at := strings.Index(p.Fix.String(), "systemctl start"); at >= 0 {
		if reset := strings.Index(p.Fix.String(), "systemctl reset-failed"); reset < 0 || reset > at {
			t.Errorf("a tripped start limit refuses: %s", p.Fix.String())
		}
	}
}

func TestStore_FaultsWithOneCauseAreOneProblem(t *testing.T) {
	look, w := whole(t)
	d := facts.StoreDenial{Path: "/opt", Dir: true, Needs: "x", Class: "others"}
	for i := range look.Models {
		look.Models[i].Faults = []facts.StoreFault{
			{Kind: facts.Denied, Path: "/opt/a", Denial: &d}, {Kind: facts.Denied, Path: "/opt/b", Denial: &d},
		}
	}
	if p := Judge(look, w); len(p) != 1 {
		t.Errorf("%v", p)
	}
	look, w = whole(t)
	look.Models[0].Faults = []facts.StoreFault{{Kind: facts.Dangling, Path: "/a"}, {Kind: facts.Dangling, Path: "/b"}, {Kind: facts.Dangling, Path: "/c"}}
	if p := Judge(look, w); len(p) != 1 || !strings.Contains(p[0].Seen, "and 2 more files of this model") {
		t.Errorf("%v", p)
	}
}

func TestStore_SnapshotsAreComparedWithTheMainOneOnly(t *testing.T) {
	for what, c := range map[string]struct {
		snapshots []string
		main      string
	}{"no refs/main": {[]string{"a", "b"}, ""}, "one": {[]string{"a"}, "b"}, "the main one is the first": {[]string{"a", "b"}, "a"}} {
		look, w := whole(t)
		look.Models[0].Snapshots, look.Models[0].Main = c.snapshots, c.main
		if p := Judge(look, w); len(p) > 0 {
			t.Errorf("%s: %v", what, p)
		}
	}
}

// What is free has to be enough for the largest version, and is not always known.
func TestStore_SpaceIsThatOfOneMoreVersion(t *testing.T) {
	for free, want := range map[int64]int{-1: 0, 0: 1, 1999: 1, 2000: 0} {
		look, w := whole(t)
		look.Free, w.Thorough = free, true
		look.Models = append(look.Models, facts.StoreModel{Want: facts.StoreWant{Agent: "a", Model: "b"}, Tree: -1, Bytes: 1 << 40})
		if p := Judge(look, w); len(p) != want {
			t.Errorf("%d free: %v", free, p)
		}
	}
}

func TestStore_ListsAsManyProblemsAsThereAreUpToItsLimit(t *testing.T) {
	for n, last := range map[int]string{maxListed: "truncated", maxListed + 1: "1 more problem", maxListed + 2: "2 more problems"} {
		look, w := whole(t)
		for i := range n {
			m := look.Models[0]
			m.Faults = []facts.StoreFault{{Kind: facts.Cut, Path: strings.Repeat("x", i+1)}}
			look.Models = append(look.Models, m)
		}
		if p := Judge(look, w); len(p) != min(n, maxListed+1) || !strings.HasSuffix(p[len(p)-1].Message, last) {
			t.Errorf("%d: %d problems, the last %v", n, len(p), p[len(p)-1])
		}
	}
}

func TestStore_NamesAtMostThreeModelsThatCannotLoad(t *testing.T) {
	for n, want := range map[int]string{
		0: ": no entry of the map cannot load", 3: ": a: 0, a: 1, a: 2 cannot load", 4: ": a: 0, a: 1, a: 2, 1 more cannot load",
	} {
		look, w := whole(t)
		look.Models = nil
		for i := range n {
			look.Models = append(look.Models, facts.StoreModel{Want: facts.StoreWant{Agent: "a", Model: strconv.Itoa(i)}})
		}
		treeFault(facts.Absent, root+"/scout/current", "")(&look)
		if p := Judge(look, w); len(p) != 1 || !strings.HasSuffix(p[0].Message, want) {
			t.Errorf("%d: %v, want %s", n, p, want)
		}
	}
}

// A directory that the map lists, as an agent or as the place of base models, is not
// what a misspelt agent means.
func TestStore_ListedDirectoryIsNotAMisspelling(t *testing.T) {
	for text, want := range map[string]diag.Code{
		`{"agents":{"scout":["org/bert"],"scouts":["x"]}}`: diag.StoreAgent,
		`{"base_models":{"m":{"hf_id":"org/m","model_store_agent":"scouts"}},"agents":{"scout":["org/bert"],"x":[{"base_ref":"m","adapter_name":"y"}]}}`: diag.StoreAgent,
		`{"agents":{"scout":["org/bert"]}}`: diag.MapName,
	} {
		look, w := whole(t)
		w.Listed, look.Agents = parsedMap(t, text), []string{"critic", "scouts"}
		treeFault(facts.Absent, root+"/scout", "")(&look)
		if p := Judge(look, w); len(p) != 1 || p[0].Code != want {
			t.Errorf("%s: %v, want %s", text, p, want)
		}
	}
}

func TestStore_WrongNameInTheMapHasItsPosition(t *testing.T) {
	look, w := whole(t)
	look.Agents = []string{"base_model"}
	look.Trees[1].Path, look.Trees[1].Fault = "", &facts.StoreFault{Kind: facts.Absent, Path: root + "/base_models"}
	at := func() *diag.Position {
		t.Helper()
		p := Judge(look, w)
		if len(p) != 1 || p[0].Code != diag.MapName {
			t.Fatalf("%v", p)
		}
		return p[0].Position
	}
	if got := at(); got == nil || *got != (diag.Position{File: w.Map, Line: 3, Column: 11}) {
		t.Errorf("%+v", got)
	}
	look.Models[2].Want.Line = 0 // of a map that names no lines
	if got := at(); got != nil {
		t.Errorf("without a line: %+v", got)
	}
	look.Models[2].Want.Line, w.Map = 3, ""
	if got := at(); got != nil {
		t.Errorf("without a file: %+v", got)
	}
}

func TestStore_ErrorsComeFirstAndTheListIsLimited(t *testing.T) {
	look, w := whole(t)
	look.Trees[0].Staged = []string{"/s.tmp"}
	for i := range 80 {
		m := look.Models[0]
		m.Faults = []facts.StoreFault{{Kind: facts.Cut, Path: strings.Repeat("x", i+1)}}
		look.Models = append(look.Models, m)
	}
	p := Judge(look, w)
	if len(p) != maxListed+1 || p[0].Code != diag.StoreCorrupt || !strings.Contains(p[maxListed].Message, "31 more problems") || p[maxListed].Status() != 65 {
		t.Errorf("%d problems, the first %v, the last %v", len(p), p[0], p[len(p)-1])
	}
}

func TestProofs_EachResultIsJudged(t *testing.T) {
	version := facts.StoreProof{Tree: 0, Owner: "scout", Name: "v1", Path: root + "/scout/versions/v1", By: "manifest", Expected: "ab", Found: "cd"}
	for name, c := range map[string]struct {
		change   func(*facts.StoreProof)
		code     diag.Code
		status   diag.Status
		severity diag.Severity
		says     string
	}{
		"whole":    {change: func(p *facts.StoreProof) { p.Verdict = facts.Whole }},
		"unproven": {change: func(*facts.StoreProof) {}},
		"another content, one order": {change: func(p *facts.StoreProof) {
			p.Verdict, p.Orders, p.Tried, p.Suspects = facts.Differs, 1, 1, []string{"w"}
		},
			code: diag.StoreCorrupt, status: 65, says: "SHA-256 cd; changed after the manifest was written: w; expected SHA-256 ab"},
		"another content in every order": {change: func(p *facts.StoreProof) { p.Verdict, p.Orders, p.Tried = facts.Differs, 24, 24 },
			code: diag.StoreCorrupt, status: 65, says: "all of the 24 orders"},
		"a named file": {change: func(p *facts.StoreProof) {
			p.Verdict, p.Flaws = facts.Differs, []facts.ProofFlaw{{Kind: facts.FlawContent, Path: "models--org--bert/blobs/x", Detail: "evidence"}}
		}, code: diag.StoreCorrupt, status: 65, says: "does not match the manifest: scout: org/bert\n"},
		"a missing file": {change: func(p *facts.StoreProof) {
			p.Verdict, p.Flaws, p.By = facts.Differs, []facts.ProofFlaw{{Kind: facts.FlawMissing, Path: "x"}}, "seal"
		},
			code: diag.StoreFile, status: 66, says: "every file of its seal"},
		"a lost link": {change: func(p *facts.StoreProof) {
			p.Verdict, p.Flaws = facts.Differs, []facts.ProofFlaw{{Kind: facts.FlawLost, Path: "x"}}
		}, code: diag.StoreLink, status: 66},
		"a file too many": {change: func(p *facts.StoreProof) {
			p.Verdict, p.Flaws = facts.Differs, []facts.ProofFlaw{{Kind: facts.FlawExtra, Path: "x"}}
		}, code: diag.StoreCorrupt, status: 65, says: "x (not manifested)"},
		"a socket": {change: func(p *facts.StoreProof) {
			p.Verdict, p.Flaws = facts.Differs, []facts.ProofFlaw{{Kind: facts.FlawOdd, Path: "x", Detail: "it is neither a file nor a directory"}}
		}, code: diag.StoreCorrupt, status: 65, says: "it contains what no checksum can cover"},
		"too many orders": {change: func(p *facts.StoreProof) { p.Verdict, p.Orders, p.Tried, p.Witnessed = facts.Undecided, 5e6, 8, 3 },
			code: diag.StoreUnverified, status: 66, says: "8 orders that were tried of 5e+06; verified by the hash in the name: 3 files"},
		"no manifest":                   {change: func(p *facts.StoreProof) { p.Verdict, p.By = facts.NoManifest, "" }, code: diag.StoreManifest, status: 66, says: "models seal -- scout; justnews-gate retry"},
		"a manifest without a checksum": {change: func(p *facts.StoreProof) { p.Verdict, p.ManifestFault = facts.NoManifest, "it has no checksum" }, code: diag.StoreManifest, status: 66, says: "it has no checksum in"},
		"an adapter without a manifest": {change: func(p *facts.StoreProof) { p.Verdict, p.Name = facts.NoManifest, "" }, code: diag.StoreManifest, severity: diag.Notice},
		"a seal that is out of date":    {change: func(p *facts.StoreProof) { p.Verdict, p.SealFault = facts.Whole, "another checksum" }, code: diag.StoreManifest, severity: diag.Warning, says: "another checksum"},
		"another version's manifest":    {change: func(p *facts.StoreProof) { p.Verdict, p.ManifestVersion = facts.Whole, "v0" }, code: diag.StoreManifest, severity: diag.Warning, says: `"v0"`},
		"out of time":                   {change: func(p *facts.StoreProof) { p.Verdict, p.Bytes = facts.OutOfTime, 4e9 }, code: diag.StoreTimeout, status: 75, says: "3.7 GiB"},
		"a restless version":            {change: func(p *facts.StoreProof) { p.Verdict, p.Reason = facts.Unchecked, "its files change" }, code: diag.StoreUnverified, status: 66, says: "its files change"},
		"a failing disk": {change: func(p *facts.StoreProof) {
			p.Verdict, p.Flaws = facts.Unchecked, []facts.ProofFlaw{{Kind: facts.FlawRead, Path: "/w", Detail: "input/output error"}}
		}, code: diag.StoreRead, status: 65},
		"a file that is not for us": {change: func(p *facts.StoreProof) {
			p.Verdict, p.Flaws = facts.Unchecked, []facts.ProofFlaw{{Kind: facts.FlawDenied, Path: "/w"}}
		}, code: diag.StorePermission, status: 77},
	} {
		t.Run(name, func(t *testing.T) {
			look, w := whole(t)
			p := version
			c.change(&p)
			problems := Proofs([]facts.StoreProof{p}, look, w)
			if c.code == "" {
				if len(problems) > 0 {
					t.Errorf("%v", problems)
				}
				return
			}
			if len(problems) != 1 {
				t.Fatalf("%v", problems)
			}
			got := problems[0]
			if got.Code != c.code || got.Severity != c.severity || got.Status() != c.status {
				t.Errorf("%+v, status %d", got, got.Status())
			}
			if text := got.Message + "\n" + got.Seen + "; expected " + got.Expected + "\n" + got.Fix.String(); !strings.Contains(text, c.says) {
				t.Errorf("%s\nlacks %s", text, c.says)
			}
			checkFix(t, got)
		})
	}
}

// A seal that cannot be used is only a warning where something else proves the version.
func TestProofs_UnusableSealProvesNothing(t *testing.T) {
	look, w := whole(t)
	problems := Proofs([]facts.StoreProof{{Owner: "scout", Name: "v1", Path: "/v", Verdict: facts.NoManifest, SealFault: "it is not a seal"}}, look, w)
	if len(problems) != 1 || problems[0].Code != diag.StoreManifest || problems[0].Severity != diag.Error || !strings.Contains(problems[0].Seen, "it is not a seal") {
		t.Errorf("%+v", problems)
	}
}

func TestProofs_DirectoryOrderIsNeverCorruption(t *testing.T) {
	look, w := whole(t)
	for _, p := range Proofs([]facts.StoreProof{{Owner: "scout", Name: "v1", Path: "/v", Verdict: facts.Undecided, Orders: 1e9, Tried: 8}}, look, w) {
		if p.Code == diag.StoreCorrupt || p.Status() == diag.StatusStoreCorrupt {
			t.Errorf("%+v", p)
		}
	}
}

func TestStore_MisspeltAgentIsReported(t *testing.T) {
	m := parsedMap(t, `{"agents":{"scuot":["a","b"],"memory":["c"],"re_ranker":["d"]}}`)
	problems := MapInstances(m, "/map", []string{"scout", "memory", "mcp_bus"})
	if len(problems) != 1 || problems[0].Code != diag.MapName || problems[0].Status() != diag.StatusReady ||
		!strings.Contains(problems[0].Seen, `"scuot" with 2 models, "scout" with none`) || problems[0].Position.Line != 1 {
		t.Errorf("%v", problems)
	}
	if p := MapInstances(nil, "", nil); p != nil {
		t.Errorf("%v", p)
	}
	none := MapInstances(parsedMap(t, `{"agents":{"scuot":[]}}`), "/map", []string{"scout"})
	if len(none) != 1 || none[0].Position != nil || !strings.Contains(none[0].Message, "lists 0 models") {
		t.Errorf("%v", none)
	}
}

func TestStore_UnreadableMapNamesTheDeniedComponent(t *testing.T) {
	problems := Map(modelmap.File{Path: "/opt/x/map.json", Err: os.ErrPermission}, true)
	got := MapDenied(problems, "justnews", &facts.StoreDenial{Path: "/opt", Dir: true, Needs: "x", Mode: 0o700, Class: "others"})
	if len(got) != 1 || got[0].Code != diag.MapUnreadable || got[0].Fix.String() != "chmod o+x -- /opt; justnews-gate retry" || !strings.Contains(got[0].Message, "the user justnews may not search the directory /opt") {
		t.Errorf("%+v", got)
	}
	file := MapDenied(problems, "justnews", &facts.StoreDenial{Path: "/etc/justnews/m.json", Needs: "r", Mode: 0o640, Class: "others"})
	if file[0].Fix.String() != "chmod o+r -- /etc/justnews/m.json; justnews-gate retry" {
		t.Errorf("%+v", file)
	}
	wrong := []diag.Problem{mapProblem("/m.json", modelmap.Problem{Message: "no object"})}
	if same := MapDenied(wrong, "justnews", &facts.StoreDenial{Path: "/opt"}); same[0].Message != "no object" {
		t.Errorf("%+v", same)
	}
	if same := MapDenied(problems, "justnews", nil); same[0].Message != problems[0].Message {
		t.Errorf("%+v", same)
	}
}

func TestStore_EveryFaultIsDescribed(t *testing.T) {
	for kind := range meanings {
		if s := describe(facts.StoreFault{Kind: kind, Path: "/m/x"}); strings.HasSuffix(s, " ") || s == "/m/x" {
			t.Errorf("%s: %q", kind, s)
		}
	}
}

func TestProofs_PresenceIsAWayOutOnlyWhereMoreIsRequired(t *testing.T) {
	for level, want := range map[string]bool{"manifest": true, "presence": false, "off": false} {
		w := Wanted{Models: config.Models{VerifyPreload: level}}
		for _, verdict := range []facts.ProofVerdict{facts.NoManifest, facts.Undecided} {
			p := Proofs([]facts.StoreProof{{Owner: "a", Name: "v1", Path: "/s/a/versions/v1", Verdict: verdict}}, facts.Store{}, w)
			if len(p) != 1 || strings.Contains(p[0].Fix.Advice, "models.verify_preload") != want || !strings.Contains(p[0].Fix.Advice, "read-only file system") {
				t.Errorf("%s: %+v", level, p)
			}
		}
	}
}

func TestJudge_WarningHidesNoError(t *testing.T) {
	j := judge{said: map[string]bool{}}
	for range 2 {
		j.say("/v", diag.Problem{Code: diag.StoreManifest}.As(diag.Warning))
		j.say("/v", diag.Problem{Code: diag.StoreManifest})
	}
	if len(j.problems) != 2 || len(diag.Errors(j.problems)) != 1 {
		t.Errorf("%v", j.problems)
	}
}
