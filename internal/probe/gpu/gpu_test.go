// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"justnews/internal/facts"
)

// script is a helper of the test's own making, in a root without a driver.
func script(t *testing.T, text string) Prober {
	t.Helper()
	dir := t.TempDir()
	p := Prober{Helper: filepath.Join(dir, "helper"), Root: dir, Limit: time.Minute}
	if err := os.WriteFile(p.Helper, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

const object = `{"schema":1,"outcome":"SUCCESS","count":1,"gpus":[{"index":0}]}`

func TestHelper_EachFailureHasItsOwnKind(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		kind   facts.GPUKind
		detail string
	}{
		"an answer":                         {"echo '" + object + "'", facts.GPUAnswered, ""},
		"an answer without a GPU":           {`echo '{"schema":1,"outcome":"SUCCESS","count":0,"gpus":[]}'`, facts.GPUNone, ""},
		"an answer without counts":          {`echo '{"schema":1,"outcome":"SUCCESS","gpus":[]}'`, facts.HelperNonsense, ""},
		"built without cgo":                 {`echo '{"schema":1,"outcome":"NO_CGO","gpus":[],"detail":"d"}'; exit 71`, facts.HelperNoCgo, "d"},
		"no library":                        {`echo '{"schema":1,"outcome":"ERROR_LIBRARY_NOT_FOUND","gpus":[]}'; exit 71`, facts.LibraryMissing, ""},
		"an error that is not known yet":    {`echo '{"schema":1,"outcome":"ERROR_4242","gpus":[]}'; exit 71`, facts.GPUFailed, ""},
		"silence":                           {"true", facts.HelperNonsense, "unexpected end"},
		"garbage":                           {"echo hello", facts.HelperNonsense, "invalid character 'h'"},
		"half an object":                    {`echo '{"schema":1,'`, facts.HelperNonsense, "unexpected end"},
		"two objects":                       {"echo '" + object + object + "'", facts.HelperNonsense, "after top-level value"},
		"a key that occurs twice":           {`echo '{"schema":1,"outcome":"ERROR_UNKNOWN","outcome":"SUCCESS","count":1,"gpus":[{"index":0}]}'`, facts.HelperNonsense, "outcome"},
		"another schema":                    {`echo '{"schema":2,"outcome":"SUCCESS","count":1,"gpus":[{"index":0}]}'`, facts.HelperNonsense, "schema 2"},
		"no outcome":                        {`echo '{"schema":1}'`, facts.HelperNonsense, "outcome"},
		"success that exits with an error":  {"echo '" + object + "'; exit 71", facts.HelperNonsense, "contradict"},
		"failure that exits 0":              {`echo '{"schema":1,"outcome":"ERROR_UNKNOWN","gpus":[]}'`, facts.HelperNonsense, "contradict"},
		"another exit status":               {"echo '" + object + "'; echo why >&2; exit 70", facts.HelperNonsense, "exit status 70: why"},
		"output without end":                {"yes | head -c 3000000", facts.HelperNonsense, "more than 1048576 bytes"},
		"a signal":                          {"kill -SEGV $$", facts.HelperCrashed, "killed by signal 11"},
		"a crash that Go reports":           {"echo 'SIGSEGV: segmentation violation' >&2; exit 2", facts.HelperCrashed, "SIGSEGV"},
		"a loader's refusal":                {"echo 'x: error while loading shared libraries: libc.so.6: version GLIBC_2.34 not found' >&2; exit 127", facts.HelperLoader, "GLIBC_2.34"},
		"a missing function":                {"echo 'x: symbol lookup error: x: undefined symbol: nvmlInit' >&2; exit 127", facts.HelperSymbol, "nvmlInit"},
		"a complaint without end is cut":    {"yes complaint | head -c 100000 >&2; exit 9", facts.HelperNonsense, "…"},
		"what it inherits is clean":         {`[ -z "$SECRET$LD_PRELOAD$HOME" ] && echo '` + object + `'`, facts.GPUAnswered, ""},
		"it reads from nothing":             {"cat; echo '" + object + "'", facts.GPUAnswered, ""},
		"a child that keeps the pipes open": {"sleep 60 & echo '" + object + "'", facts.GPUAnswered, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SECRET", "x")
			t.Setenv("LD_LIBRARY_PATH", "/nowhere")
			look := script(t, c.script).Look(t.Context())
			if look.Kind != c.kind || !strings.Contains(look.Detail, c.detail) || len(look.Detail) > 500 {
				t.Errorf("%+v", look)
			}
			if look.Helper == "" || (look.NVML != nil) != (c.kind >= facts.HelperNoCgo) && c.kind != facts.HelperNonsense {
				t.Errorf("%+v", look)
			}
		})
	}
}

func TestHelper_MissingDiffersFromNotExecutable(t *testing.T) {
	p := script(t, "true")
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(p.Root, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for helper, want := range map[string]facts.GPUKind{
		filepath.Join(p.Root, "none"):                        facts.HelperMissing,
		filepath.Join(p.Root, "no", "directory"):             facts.HelperMissing,
		write("mode", "#!/bin/sh", 0o644):                    facts.HelperUnusable,
		write("format", "\x7fELF nothing", 0o755):            facts.HelperUnusable,
		write("loader", "#!/nowhere/ld-linux.so.2\n", 0o755): facts.HelperUnusable,
		p.Root: facts.HelperUnusable,
	} {
		p.Helper = helper
		if look := p.Look(t.Context()); look.Kind != want || look.Detail == "" {
			t.Errorf("%s: %+v", helper, look)
		}
	}
}

func TestHelper_HangingHelperIsKilledAtTheLimit(t *testing.T) {
	p := script(t, "trap '' TERM INT; echo busy >&2; sleep 1000; sleep 1000")
	p.Limit = 200 * time.Millisecond
	if look := p.Look(t.Context()); look.Kind != facts.HelperHung || !strings.Contains(look.Detail, "no answer within 200ms") {
		t.Errorf("%+v", look)
	}
}

func TestHelper_AnswerDuringAStopCounts(t *testing.T) {
	p := script(t, "(sleep 1; kill -CONT $PPID) </dev/null >/dev/null 2>&1 &\nkill -STOP $PPID\necho '"+object+"'")
	p.Limit = 500 * time.Millisecond
	if look := p.Look(t.Context()); look.Kind != facts.GPUAnswered {
		t.Errorf("%+v", look)
	}
}

func TestHelper_OutputThatIsNotReadInTimeIsNoNonsense(t *testing.T) {
	if look := script(t, "sleep 60 &").Look(t.Context()); look.Kind != facts.HelperHung || !strings.Contains(look.Detail, "was not read") {
		t.Errorf("%+v", look)
	}
}

func TestHelper_CancelledRunIsNotAHang(t *testing.T) {
	p := script(t, "sleep 1000")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if look := p.Look(ctx); look.Kind != facts.GPUUnknown || !strings.Contains(look.Detail, "when the run ended") {
		t.Errorf("%+v", look)
	}
	if look := p.Look(ctx); look.Kind != facts.GPUUnknown || !strings.Contains(look.Detail, "not asked") {
		t.Errorf("%+v", look)
	}
}

func TestHelper_ZeroValueRunsThePackagedHelper(t *testing.T) {
	if got := (Prober{}).Look(t.Context()); got.Helper != "/usr/libexec/justnews/justnews-nvml" {
		t.Errorf("%+v", got)
	}
	if Limit != 5*time.Second {
		t.Error("the default limit is not 5 s")
	}
}
