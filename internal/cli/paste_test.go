// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"justnews/test/reference/store"
)

// hostileNames stand for a model in the orchestrator's answer, and for what lies
// in the Model Store.
var hostileNames = []string{
	"x, then: touch pwned; systemctl reset-failed #",
	"$(touch pwned)", "`touch pwned`", "x\ntouch pwned", "x'; touch pwned; '", "--version", "-rf", "x\x1b[2J; touch pwned", "x\u202e && touch pwned",
}

// pasted are the lines below "fix:", which are to be pasted.
func pasted(stderr string) []string {
	var lines []string
	fix := false
	for line := range strings.Lines(stderr) {
		line = strings.TrimSuffix(line, "\n")
		if command, ok := strings.CutPrefix(line, "    "); ok && fix {
			lines = append(lines, command)
			continue
		}
		fix = strings.Contains(line, "fix: ")
	}
	return lines
}

// TestFix_PastedCommandDoesWhatItSays has a hostile model in the
// orchestrator's answer and hostile names in the Model Store, pastes every fix
// that is printed into a shell, and looks at what was run.
func TestFix_PastedCommandDoesWhatItSays(t *testing.T) {
	for i, name := range hostileNames {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel() // two of the commands wait for a second each
			s := &scene{t: t, cache: t.TempDir()}
			config := hostileHost(s, name)
			bin, pwned, log := stubs(t)
			commands := 0
			for _, args := range [][]string{{"gate", "scout", "--timeout", "1"}, {"models", "verify"}, {"models", "seal", "scout"}, {"status"}, {"preflight", "--timeout", "1"}} {
				_, stdout, stderr := s.run(append([]string{"justnews-gate", "--config", config}, args...)...)
				if why := harm(stdout + stderr); why != "" {
					t.Errorf("%q: %s", args, why)
				}
				lines := pasted(stderr + stdout)
				commands += len(lines)
				paste(t, bin, pwned, strings.Join(lines, "\n"))
			}
			if commands == 0 {
				t.Fatal("no fix was printed")
			}
			if left, err := os.ReadDir(pwned); err != nil || len(left) > 0 {
				t.Errorf("a pasted fix made %v (%v)", left, err)
			}
			reached := false
			for _, argv := range calls(t, log) {
				for i, word := range argv {
					if word == "--" {
						reached = reached || strings.Contains(strings.Join(argv[i:], "\n"), name)
						break
					}
					if strings.Contains(word, "pwned") || word == name {
						t.Errorf("a name stands where an option does: %q", argv)
					}
				}
			}
			if !reached {
				t.Errorf("no command was about %q", name)
			}
		})
	}
}

// hostileHost makes a Model Store with the name wherever a name can stand, and an
// orchestrator that names it, and returns the configuration's path.
func hostileHost(s *scene, name string) string {
	t := s.t
	t.Helper()
	root := filepath.Join(t.TempDir(), "models")
	made, err := store.Make(root)
	s.check(err)
	text, err := json.Marshal(map[string][]string{"scout": {"google/bert_uncased_L-2_H-128_A-2"}, "critic": {"unitary/unbiased-toxic-roberta", name}})
	s.check(err)
	s.check(os.WriteFile(made.Map, text, 0o644))
	scout := filepath.Join(root, "scout")
	s.check(os.Remove(filepath.Join(scout, "current")))
	// One version is left, of that name, and one that was copied in part.
	s.check(os.Rename(filepath.Join(scout, "versions", store.Version), filepath.Join(scout, "versions", name)))
	for _, dir := range []string{filepath.Join(root, name), filepath.Join(root, "critic", "versions", name+".tmp"), filepath.Join(root, "critic", "versions", store.Version, "models--"+name, "snapshots", name)} {
		s.check(os.MkdirAll(dir, 0o755))
	}
	quoted, err := json.Marshal(name)
	s.check(err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/health":
			fmt.Fprint(w, `{"status":"ok"}`)
		case "/ready":
			fmt.Fprint(w, `{"ready":true}`)
		default:
			fmt.Fprintf(w, `{"all_ready":false,"in_progress":false,"summary":{"total":2,"done":0,"failed":2},"started_at":1.5,
				"errors":[{"agent":%[1]s,"model":%[1]s,"error":%[1]s},{"agent":"scout","model":%[1]s,"error":"[Errno 13] Permission denied"}]}`, quoted)
		}
	}))
	t.Cleanup(server.Close)
	config := filepath.Join(t.TempDir(), "j.toml")
	s.check(os.WriteFile(config, fmt.Appendf(nil,
		"[orchestrator]\nurl = %q\ninstance = \"\"\n[bus]\ninstance = \"\"\n[models]\nroot = %q\nmap = %q\nverify = \"manifest\"\n[instances.scout]\nport = 8002\n",
		server.URL, root, made.Map), 0o644))
	s.env = []string{"PATH=" + os.Getenv("PATH"), "CACHE_DIRECTORY=" + s.cache}
	return config
}

// stubs returns a directory of programs that only write down how they are called,
// one of what a successful attack would leave, and the log.
func stubs(t *testing.T) (bin, pwned, log string) {
	t.Helper()
	bin, pwned, log = t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "log")
	self := "#!/bin/sh\nprintf '%s\\0' \"$#\" \"$@\" >>" + log + "\n"
	for _, name := range []string{"systemctl", "justnews-gate", "rm", "ln", "chmod", "journalctl", "namei", "getfacl", "du", "ls", "ss", "sudo", "nvidia-smi", "mount", "useradd", "usermod", "pkill", "pgrep", "modprobe", "nvidia-modprobe", "sysctl", "systemd-tmpfiles", "systemd-sysusers", "ldconfig", "env"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(self), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	touch, err := exec.LookPath("touch")
	if err == nil {
		err = os.Symlink(touch, filepath.Join(bin, "touch"))
	}
	if err == nil {
		err = os.WriteFile(log, nil, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return bin, pwned, log
}

// calls reads the log of the stubs.
func calls(t *testing.T, log string) [][]string {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	var all [][]string
	for len(words) > 1 {
		n, err := strconv.Atoi(words[0])
		if err != nil || len(words) <= n {
			t.Fatalf("the log is no log: %q", words)
		}
		all = append(all, words[1:n+1])
		words = words[n+1:]
	}
	return all
}

func paste(t *testing.T, bin, dir, script string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh")
	cmd.Dir, cmd.Env, cmd.Stdin = dir, []string{"PATH=" + bin}, strings.NewReader("kill() { :; }\n"+script+"\n")
	if out, err := cmd.CombinedOutput(); err != nil && strings.Contains(string(out), "yntax error") {
		t.Errorf("%v: %s\n%s", err, out, script)
	}
}
