// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"justnews/internal/digest"
	"justnews/test/reference/store"
)

// modelsCommand makes a Model Store that the script may damage, and a
// configuration that names it without a map.
func modelsCommand(ts *testscript.TestScript, _ bool, _ []string) {
	root := ts.MkAbs("models")
	_, err := store.Make(root)
	ts.Check(err)
	running(ts)["root"] = root
	text := fmt.Sprintf("[orchestrator]\ninstance = \"\"\n[bus]\ninstance = \"\"\n[models]\nroot = %q\n[instances.scout]\nport = 8002\n", root)
	ts.Check(os.WriteFile(ts.MkAbs("mapless.toml"), []byte(text), 0o644))
}

// damageCommand breaks a model: damage corrupt AGENT MODEL.
func damageCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: damage DAMAGE AGENT MODEL")
	}
	ts.Check(store.At(running(ts)["root"]).Break(store.Damage(args[0]), store.Model{Agent: args[1], ID: args[2]}))
}

func repairCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: repair AGENT MODEL")
	}
	ts.Check(store.At(running(ts)["root"]).Repair(store.Model{Agent: args[0], ID: args[1]}))
}

// agedCommand waits until a change of any file would show: what is younger is
// not remembered.
func agedCommand(ts *testscript.TestScript, _ bool, _ []string) {
	for {
		tree, err := digest.Walk(context.Background(), running(ts)["root"])
		ts.Check(err)
		if tree.Settled(time.Now()) {
			return
		}
	}
}

func unmanifestedCommand(ts *testscript.TestScript, _ bool, args []string) {
	for _, agent := range args {
		ts.Check(os.Remove(filepath.Join(running(ts)["root"], agent, "versions", store.Version, "manifest.json")))
	}
}
