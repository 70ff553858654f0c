// SPDX-License-Identifier: Apache-2.0

// Command justnews-reference runs the reference orchestrator or bus for the
// demo and the booted tests. It is in no package.
//
//	justnews-reference [orchestrator] [flags]   serves; the environment is upstream's
//	justnews-reference bus [flags]
//	justnews-reference control SOCKET METHOD PATH [LINE...]
//	justnews-reference store make|repair|break ROOT [DAMAGE] [AGENT MODEL]
//	justnews-reference ports N                  prints N free ports of 127.0.0.1
//	justnews-reference behaviours
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"justnews/test/reference"
	"justnews/test/reference/store"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "justnews-reference: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	word := "orchestrator"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		word, args = args[0], args[1:]
	}
	switch word {
	case "orchestrator":
		return serve(reference.Orchestrator, args)
	case "bus":
		return serve(reference.Bus, args)
	case "control":
		return control(args, out)
	case "store":
		return models(args)
	case "ports":
		return ports(args, out)
	case "behaviours":
		_, err := io.WriteString(out, reference.Table())
		return err
	}
	return fmt.Errorf("no such command: %s", word)
}

func serve(role reference.Role, args []string) error {
	o, err := reference.FromEnvironment(role, os.Getenv)
	if err != nil {
		return err
	}
	fs := flag.NewFlagSet("justnews-reference", flag.ContinueOnError)
	var misbehave, script, controlAt string
	fs.StringVar(&o.Address, "address", o.Address, "host:port to listen on")
	fs.StringVar((*string)(&o.Generation), "generation", "new", "old or new")
	fs.StringVar(&o.Root, "root", o.Root, "model store")
	fs.StringVar(&o.Map, "map", "", "model map (default AGENT_MODEL_MAP.json below the store)")
	fs.BoolVar(&o.Strict, "strict", o.Strict, "as STRICT_MODEL_STORE=1")
	fs.StringVar(&o.BusURL, "bus-url", o.BusURL, "bus to register at, with the port closed; empty: none")
	fs.DurationVar(&o.LoadDelay, "load-delay", 0, "least time for each model")
	fs.StringVar(&misbehave, "misbehave", strings.Join(o.Misbehave, " "), "behaviours, separated by spaces (see behaviours)")
	fs.StringVar(&script, "script", "", "JSON file of steps")
	fs.StringVar(&controlAt, "control", "", "unix socket to be controlled by")
	if err := fs.Parse(args); err != nil {
		return err
	}
	o.Misbehave = strings.Fields(misbehave)
	o.Exit = os.Exit
	o.Log = func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "justnews-reference: "+format+"\n", args...)
	}
	if script != "" {
		data, err := os.ReadFile(script)
		if err != nil {
			return err
		}
		if o.Script, err = reference.ParseScript(data); err != nil {
			return err
		}
	}
	s, err := reference.Start(o)
	if err != nil {
		return err
	}
	defer s.Close()
	if controlAt != "" {
		if err := listenControl(s, controlAt); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	<-ctx.Done()
	return nil
}

func listenControl(s *reference.Server, path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(l, s.Control()) }() // ends with the process
	return nil
}

// control asks a running server's control socket, for hosts without curl.
func control(args []string, out io.Writer) error {
	if len(args) < 3 {
		return errors.New("control needs SOCKET METHOD PATH")
	}
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", args[0])
		},
	}}
	req, err := http.NewRequest(args[1], "http://control"+args[2], strings.NewReader(strings.Join(args[3:], "\n")))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	_, err = io.Copy(out, resp.Body)
	return err
}

func models(args []string) error {
	if len(args) < 2 {
		return errors.New("store needs make, repair or break, and ROOT")
	}
	s := store.At(args[1])
	switch {
	case args[0] == "make":
		_, err := store.Make(args[1])
		return err
	case args[0] == "repair" && len(args) == 4:
		return s.Repair(store.Model{Agent: args[2], ID: args[3]})
	case args[0] == "break" && len(args) == 5:
		return s.Break(store.Damage(args[2]), store.Model{Agent: args[3], ID: args[4]})
	}
	return errors.New("store: make ROOT, repair ROOT AGENT MODEL or break ROOT DAMAGE AGENT MODEL")
}

// ports prints free ports, all different.
func ports(args []string, out io.Writer) error {
	n := 1
	if len(args) > 0 {
		if _, err := fmt.Sscan(args[0], &n); err != nil {
			return err
		}
	}
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer func() { _ = l.Close() }() //nolint:gocritic // held until all are known, so that no port comes twice
		_, _ = fmt.Fprintln(out, l.Addr().(*net.TCPAddr).Port)
	}
	return nil
}
