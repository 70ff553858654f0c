// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"justnews/test/bench/measure"
)

// racer is one way to read or hash all of a store.
type racer struct {
	name   string
	argv   []string
	verify bool // its output must be upstream's checksums
	sample measure.Sample
	rss    int64 // KiB
	cpu    measure.Sample
}

func (b *bed) racers(s *store) []*racer {
	all := []*racer{
		{name: "raw read", argv: append([]string{"cat"}, s.files...)},
		{name: "justnews-gate", argv: []string{b.gate, "--config", s.config, "models", "verify", "--deep"}},
		{name: "openssl dgst", argv: append([]string{"openssl", "dgst", "-sha256"}, s.files...)},
		{name: "upstream, Python", argv: append([]string{"python3", "-c", upstream}, s.versions...), verify: true},
		{name: "sha256sum", argv: append([]string{"sha256sum"}, s.files...)},
	}
	if b.before != "" {
		all = append(all, &racer{name: "the gate before", argv: []string{b.before, "--config", s.config, "models", "verify", "--deep"}})
	}
	return all
}

// throughput measures several versions and a single one, warm and cold.
func (b *bed) throughput(ctx context.Context, size int64, rounds int) error {
	for _, n := range []int{8, 1} {
		name := fmt.Sprintf("throughput%d", n)
		s, err := b.make(ctx, name, n, 1, size)
		if err != nil {
			return err
		}
		for _, cold := range []bool{false, true} {
			all := b.racers(s)
			if err := race(ctx, s, all, rounds, cold); err != nil {
				fmt.Printf("%s: not measured: %v\n\n", temperature(cold), err)
				continue
			}
			table(s, n, cold, all)
		}
		if err := os.RemoveAll(s.root); err != nil {
			return err
		}
	}
	return nil
}

func temperature(cold bool) string {
	if cold {
		return "cold"
	}
	return "warm"
}

// race runs all of them alternately, so that other load on the machine affects all.
func race(ctx context.Context, s *store, all []*racer, rounds int, cold bool) error {
	for range rounds {
		for _, r := range all {
			if _, err := exec.LookPath(r.argv[0]); err != nil {
				continue
			}
			if err := prepare(s, cold); err != nil {
				return err
			}
			if err := r.run(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	return nil
}

// prepare fills the page cache with the store, or empties it.
func prepare(s *store, cold bool) error {
	if cold {
		syscall.Sync()
		return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3\n"), 0)
	}
	for _, path := range s.files {
		if err := exec.Command("cat", path).Run(); err != nil {
			return err
		}
	}
	return nil
}

func (r *racer) run(ctx context.Context, s *store) error {
	cmd := exec.CommandContext(ctx, r.argv[0], r.argv[1:]...)
	var out bytes.Buffer
	if r.verify {
		cmd.Stdout = &out
	}
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return err
	}
	r.sample = append(r.sample, time.Since(began))
	r.cpu = append(r.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	r.rss = max(r.rss, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	if !r.verify {
		return nil
	}
	want, err := s.sums()
	if err == nil && !bytes.Equal(want, out.Bytes()) {
		err = errors.New("it finds other checksums than the manifests have")
	}
	return err
}

func table(s *store, versions int, cold bool, all []*racer) {
	fmt.Printf("%.2f GiB in %d version(s), page cache %s\n", float64(s.bytes)/(1<<30), versions, temperature(cold))
	t := measure.NewTable(os.Stdout, "", "GB/s", "best", "worst", "CPU s/GB", "peak RSS MiB")
	rate := map[string]float64{}
	for _, r := range all {
		if len(r.sample) == 0 {
			t.Row(r.name, "not installed")
			continue
		}
		of := func(share float64) float64 { return float64(s.bytes) / 1e9 / r.sample.Quantile(share).Seconds() }
		rate[r.name] = of(0.5)
		t.Row(r.name, fmt.Sprintf("%.2f", of(0.5)), fmt.Sprintf("%.2f", of(0)), fmt.Sprintf("%.2f", of(1)),
			fmt.Sprintf("%.2f", r.cpu.Median().Seconds()/(float64(s.bytes)/1e9)), fmt.Sprintf("%.0f", float64(r.rss)/1024))
	}
	t.End()
	ours := rate["justnews-gate"]
	atLeast := func(what, peer string, aim float64) {
		if rate[peer] > 0 {
			fmt.Printf("aim: %s: %.2f x %s, at least %.1f: %s\n", what, ours/rate[peer], peer, aim, met(ours/rate[peer] >= aim))
		}
	}
	switch {
	case cold && versions > 1: // the digest of one version is one core's work, however fast the disk is
		atLeast("cold", "raw read", aimCold)
	case cold:
	case versions > 1:
		atLeast("warm, several versions", "sha256sum", aimSha256sum)
		atLeast("warm, several versions", "openssl dgst", aimOpenssl)
	default:
		atLeast("warm, one version", "openssl dgst", aimOneVersion)
	}
	measure.Aim(os.Stdout, "memory", float64(all[1].rss)/1024, aimMemory, " MiB")
	fmt.Println()
}

func met(yes bool) string {
	if yes {
		return "met"
	}
	return "missed"
}

// young is a little longer than the time after a file's change during which its hash is not
// cached (internal/digest).
const young = 3 * time.Second

// unchanged repeatedly verifies a store of many files, alternating with find over the same
// files.
func (b *bed) unchanged(ctx context.Context, files, rounds int) error {
	s, err := b.make(ctx, "unchanged", 20, files/20, int64(files)*10_000)
	if err != nil {
		return err
	}
	defer measure.Remember()()
	time.Sleep(young) // reading all of it may take less
	for range 2 {     // the first reads all of it, the second what was too young then
		if _, _, _, err := b.verify(ctx, s); err != nil {
			return err
		}
	}
	var sample, find measure.Sample
	var rss int64
	for range 5 * rounds {
		v, took, kib, err := b.verify(ctx, s)
		if err != nil {
			return err
		}
		if v.read() > 0 {
			return fmt.Errorf("an unchanged store was read again: %d bytes", v.read())
		}
		sample, rss = append(sample, took), max(rss, kib)
		began := time.Now()
		if err := exec.CommandContext(ctx, "find", s.root, "-printf", `%i %s %T@ %C@ %p\n`).Run(); err != nil {
			return err
		}
		find = append(find, time.Since(began))
	}
	fmt.Printf("%d files that did not change: %s ms, p10 %s, p90 %s, peak RSS %.0f MiB; find: %s ms\n", len(s.files),
		measure.Millis(sample.Median()), measure.Millis(sample.Quantile(0.1)), measure.Millis(sample.Quantile(0.9)), float64(rss)/1024, measure.Millis(find.Median()))
	measure.Aim(os.Stdout, "unchanged", sample.Ratio(find), aimUnchanged, " x find")
	fmt.Println()
	return os.RemoveAll(s.root)
}

// verification is the part of the gate's output that is counted here.
type verification struct {
	Trees []struct {
		Bytes int64  `json:"bytes"`
		Read  int64  `json:"read_bytes"`
		What  string `json:"verdict"`
	} `json:"trees"`
}

func (v verification) read() (n int64) {
	for _, t := range v.Trees {
		n += t.Read
	}
	return n
}

func (b *bed) verify(ctx context.Context, s *store) (v verification, took time.Duration, kib int64, err error) {
	cmd := exec.CommandContext(ctx, b.gate, "--config", s.config, "--json", "models", "verify")
	var out bytes.Buffer
	cmd.Stdout = &out
	began := time.Now()
	if err = cmd.Run(); err != nil {
		return v, 0, 0, fmt.Errorf("%w: %s", err, out.Bytes())
	}
	took = time.Since(began)
	return v, took, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss, json.Unmarshal(out.Bytes(), &v)
}

// crowd verifies one store with 17 processes at once: without cached hashes each of them reads
// all of it, and after a previous run, such as the preload's, none of them does.
func (b *bed) crowd(ctx context.Context, size int64) error {
	s, err := b.make(ctx, "crowd", 16, 1, size)
	if err != nil {
		return err
	}
	if err := prepare(s, false); err != nil {
		return err
	}
	defer measure.Remember()()
	time.Sleep(young)
	unknown, err := b.together(ctx, s)
	if err != nil {
		return err
	}
	known, err := b.together(ctx, s)
	if err != nil {
		return err
	}
	fmt.Printf("17 verifications at once over %.2f GB: %.2f times each byte read, %.2f once it has been verified\n", float64(s.bytes)/1e9, unknown, known)
	measure.Aim(os.Stdout, "17 at once, once it has been verified", known, 0, " times each byte")
	return nil
}

// together returns how often 17 processes at once read each byte of a store.
func (b *bed) together(ctx context.Context, s *store) (float64, error) {
	var w sync.WaitGroup
	var mu sync.Mutex
	var read int64
	var failed error
	for range 17 {
		w.Go(func() {
			v, _, _, err := b.verify(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			read += v.read()
			failed = errors.Join(failed, err)
		})
	}
	w.Wait()
	return float64(read) / float64(s.bytes), failed
}
