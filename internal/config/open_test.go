// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"justnews/internal/diag"
)

const sound = "[instances.gpu_orchestrator]\nport = 8014\n[instances.mcp_bus]\nport = 8000\n"

// tree makes a root with a sound configuration and one drop-in.
func tree(t *testing.T) (Source, string) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "etc/justnews")
	for _, d := range []string{"etc", "etc/justnews", "etc/justnews/justnews.toml.d"} {
		if err := os.Mkdir(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "justnews.toml"), sound)
	put(t, filepath.Join(dir, "justnews.toml.d/10.toml"), "[gate]\nscope = \"own\"\n")
	return Source{Root: root, Owner: os.Getuid()}, dir
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// wantOne fails unless there is no Config and exactly one error, with that
// code, that file and that word in the message.
func wantOne(t *testing.T, src Source, code diag.Code, file, say string) {
	t.Helper()
	c, problems := Load(src)
	errs := diag.Errors(problems)
	if c != nil || len(errs) != 1 {
		t.Fatalf("Config %v, errors:\n%s", c, problemText(errs))
	}
	p := errs[0]
	if p.Code != code || p.Position == nil || p.Position.File != file || !strings.Contains(p.Message, say) || p.Fix.String() == "" {
		t.Errorf("got %s, want %s: %s: … %s …", p, code, file, say)
	}
}

func TestOpen_ValidTreeLoads(t *testing.T) {
	src, _ := tree(t)
	if c, problems := Load(src); c == nil || c.Gate.Scope != "own" || len(c.Files) != 2 {
		t.Fatalf("%+v\n%s", c, problemText(problems))
	}
}

func TestOpen_WritableFilesAndDirectoriesAreRefused(t *testing.T) {
	const etc = "/etc/justnews"
	for _, c := range []struct {
		name string
		mode os.FileMode
	}{
		{"", 0o775}, {"", 0o757}, {"/justnews.toml", 0o664}, {"/justnews.toml", 0o646},
		{"/justnews.toml.d", 0o777}, {"/justnews.toml.d/10.toml", 0o666},
	} {
		src, dir := tree(t)
		chmod(t, dir+c.name, c.mode)
		wantOne(t, src, diag.ConfigOwner, etc+c.name, "writable by group or others")
	}
}

func TestOpen_FilesOfAnotherUserAreRefused(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("chown needs root")
	}
	const other = 65534
	for _, name := range []string{"", "/justnews.toml", "/justnews.toml.d", "/justnews.toml.d/10.toml"} {
		src, dir := tree(t)
		if err := os.Chown(dir+name, other, 0); err != nil {
			t.Fatal(err)
		}
		wantOne(t, src, diag.ConfigOwner, "/etc/justnews"+name, "owned by uid 65534")
		src.Owner = other
		if c, problems := Load(src); c == nil {
			t.Errorf("with --root the caller's own %q is refused:\n%s", name, problemText(problems))
		}
	}
}

func TestOpen_TargetOfALinkIsChecked(t *testing.T) {
	src, dir := tree(t)
	target := filepath.Join(src.Root, "real.toml")
	put(t, target, sound)
	if err := os.Remove(dir + "/justnews.toml"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../real.toml", dir+"/justnews.toml"); err != nil {
		t.Fatal(err)
	}
	if c, problems := Load(src); c == nil {
		t.Fatalf("a link to a sound file is refused:\n%s", problemText(problems))
	}
	chmod(t, target, 0o666)
	wantOne(t, src, diag.ConfigOwner, "/etc/justnews/justnews.toml", "writable")
}

func TestOpen_OwnerIsCheckedOnlyWithRootOrFile(t *testing.T) {
	if (Source{Owner: 1000}).mayOwn(1000) {
		t.Error("on the running system a user's file is believed")
	}
	for _, src := range []Source{{Owner: 1000, Root: "/x"}, {Owner: 1000, File: "x"}} {
		if !src.mayOwn(1000) || !src.mayOwn(0) || src.mayOwn(1001) {
			t.Errorf("%+v believes the wrong ones", src)
		}
	}
	if (Source{Root: "/x"}).mayOwn(1000) {
		t.Error("the zero Owner is not root alone")
	}
}

func TestOpen_IrregularFileIsReported(t *testing.T) {
	replace := func(t *testing.T, name string, with func() error) {
		t.Helper()
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		if err := with(); err != nil {
			t.Fatal(err)
		}
	}
	for say, with := range map[string]func(name string) error{
		"is a fifo":      func(name string) error { return syscall.Mkfifo(name, 0o644) },
		"is a directory": func(name string) error { return os.Mkdir(name, 0o755) },
		"is a device":    func(name string) error { return os.Symlink("../../../../../../../../../../dev/zero", name) },
		"is too large":   func(name string) error { return os.WriteFile(name, make([]byte, maxFile+1), 0o644) },
		"is a socket": func(name string) error {
			l, err := net.Listen("unix", name)
			if err == nil {
				t.Cleanup(func() { l.Close() })
			}
			return err
		},
	} {
		t.Run(say, func(t *testing.T) {
			src, dir := tree(t)
			name := dir + "/justnews.toml.d/10.toml"
			replace(t, name, func() error { return with(name) })
			if say == "is a device" {
				src = Source{File: name, Owner: os.Getuid()}
				wantOne(t, src, diag.ConfigUnreadable, name, say)
				return
			}
			wantOne(t, src, diag.ConfigUnreadable, "/etc/justnews/justnews.toml.d/10.toml", say)
		})
	}
}

func TestOpen_UnreadableFileIsAProblem(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	src, dir := tree(t)
	chmod(t, dir+"/justnews.toml", 0)
	wantOne(t, src, diag.ConfigUnreadable, "/etc/justnews/justnews.toml", "permission denied")
}

func TestOpen_LinksStayBelowTheRoot(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.toml")
	put(t, outside, sound)
	for name, target := range map[string]string{
		"absolute": outside,
		"dots":     "../../../../../../../../../.." + outside,
	} {
		src, dir := tree(t)
		if err := os.Remove(dir + "/justnews.toml"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, dir+"/justnews.toml"); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			wantOne(t, src, diag.ConfigUnreadable, "/etc/justnews/justnews.toml", "is a dangling link")
		})
	}
}

func TestOpen_LinkLoopIsAProblem(t *testing.T) {
	src, dir := tree(t)
	name := dir + "/justnews.toml.d/20.toml"
	if err := os.Symlink("20.toml", name); err != nil {
		t.Fatal(err)
	}
	wantOne(t, src, diag.ConfigUnreadable, "/etc/justnews/justnews.toml.d/20.toml", "too many levels")
}

func TestOpen_NamedFileIsReadWithoutDropIns(t *testing.T) {
	src := write(t, sound)
	c, problems := Load(src)
	if c == nil || len(c.Files) != 1 || c.Files[0] != src.File {
		t.Fatalf("%+v\n%s", c, problemText(problems))
	}
	chmod(t, src.File, 0o666)
	wantOne(t, src, diag.ConfigOwner, src.File, "writable")
	wantOne(t, Source{File: "/nonexistent/justnews.toml"}, diag.ConfigMissing, "/nonexistent/justnews.toml", "no such file")
}

// The commands of a fix are for the file below the root, not for that of this host.
func TestOpen_FixesNameFilesBelowTheRoot(t *testing.T) {
	src, dir := tree(t)
	name := dir + "/justnews.toml"
	for what, change := range map[string]func(){
		"UTF-16":      func() { put(t, name, "\xff\xfe[\x00") },
		"a directory": func() { _ = os.Remove(name); _ = os.Mkdir(name, 0o755) },
		"writable":    func() { _ = os.Remove(name); put(t, name, sound); chmod(t, name, 0o666) },
	} {
		change()
		_, problems := Load(src)
		if len(problems) != 1 || !strings.Contains(problems[0].Fix.String(), " -- "+name) {
			t.Errorf("%s: %s", what, problemText(problems))
		}
		_ = os.RemoveAll(name)
	}
}

func TestOpen_RootThatIsNoDirectoryIsNamed(t *testing.T) {
	src := write(t, sound)
	wantOne(t, Source{Root: "/nonexistent"}, diag.ConfigUnreadable, "/nonexistent", "no such file")
	wantOne(t, Source{Root: src.File}, diag.ConfigUnreadable, src.File, "not a directory")
}

// A file that is not text is one problem, not one for each byte.
func TestDecode_FileThatIsNotTextIsOneProblem(t *testing.T) {
	wide := func(high, low string) string {
		var b strings.Builder
		for _, c := range sound {
			b.WriteString(high + string(c) + low)
		}
		return b.String()
	}
	for text, say := range map[string]string{
		"\xfe\xff" + wide("\x00", ""):           "UTF-16",
		wide("\x00", ""):                        "UTF-16",
		wide("", "\x00"):                        "UTF-16",
		sound + strings.Repeat("\x00", 4096):    "4096 NUL bytes",
		strings.Repeat("\x00", 4096):            "4096 NUL bytes",
		strings.ReplaceAll(sound, "\n", "\x00"): "0x00", // few: each is named
	} {
		src := write(t, text)
		_, problems := Load(src)
		if len(problems) == 0 || !strings.Contains(problemText(problems), say) || len(problems) > 1 && say != "0x00" {
			t.Errorf("%.20q: want %q\n%s", text, say, problemText(problems))
		}
	}
}

func TestOpen_MaskedMainFileIsEmpty(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(root+"/etc/justnews", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", root+"/etc/justnews/justnews.toml"); err != nil {
		t.Fatal(err)
	}
	c, problems := Load(Source{Root: root, Owner: os.Getuid()})
	if c != nil || len(problems) != 1 || problems[0].Code != diag.ConfigMissing {
		t.Errorf("%+v\n%s", c, problemText(problems))
	}
}

func TestUnreadable_IntactFileIsNotToBeReplaced(t *testing.T) {
	for err, want := range map[error]string{unix.EIO: "may be intact", unix.EMFILE: "may be intact", unix.EISDIR: "replace it"} {
		p := Source{}.unreadable("/etc/justnews/justnews.toml", aFile, "cannot be opened", &fs.PathError{Op: "open", Err: err})
		if fix := p.Fix.String(); !strings.Contains(fix, want) {
			t.Errorf("%v: %s", err, fix)
		}
	}
}

func TestUnreadable_PermissionIsGrantedByACommand(t *testing.T) {
	src, dir := tree(t)
	put(t, filepath.Join(dir, "justnews.toml"), "")
	denied := &fs.PathError{Op: "open", Err: unix.EACCES}
	p := src.unreadable("/etc/justnews/justnews.toml", aFile, "cannot be opened", denied)
	if want := "chmod a+rX -- " + filepath.Join(dir, "justnews.toml") + "; systemctl daemon-reload"; p.Fix.String() != want {
		t.Errorf("%q, want %q", p.Fix, want)
	}
	p = src.unreadable("/etc/justnews/missing.toml", aFile, "cannot be opened", denied) // as below a directory that cannot be searched
	if !strings.Contains(p.Fix.String(), "with the directories above it") {
		t.Errorf("%q", p.Fix)
	}
	p = Source{File: "/", Owner: src.Owner}.unreadable("/", aFile, "cannot be opened", denied)
	if fix := p.Fix.String(); strings.Contains(fix, "chmod") || !strings.Contains(fix, "--config") {
		t.Errorf("%q", fix)
	}
}

func TestIgnored_NamesWhatIsNotRead(t *testing.T) {
	src, dir := tree(t)
	if got := Ignored(src); got != nil {
		t.Fatalf("%v", got)
	}
	for i := range 12 {
		put(t, filepath.Join(dir, fmt.Sprintf("justnews.toml.d/%02d.conf", i)), "")
	}
	if err := os.Mkdir(filepath.Join(dir, "justnews.toml.d/old.bak"), 0o755); err != nil {
		t.Fatal(err)
	}
	got := Ignored(src)
	if len(got) != 2 || got[0].Severity != diag.Warning || !strings.HasSuffix(got[0].Message, "08.conf, 09.conf and 2 more") ||
		got[1].Severity != diag.Notice || !strings.HasSuffix(got[1].Message, ": old.bak") {
		t.Errorf("%v", got)
	}
	if got := Ignored(Source{File: filepath.Join(dir, "justnews.toml"), Owner: src.Owner}); got != nil {
		t.Errorf("of a file that is named: %v", got)
	}
}
