// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // see Job.Git
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Job is one SHA-256 to compute: over the segments of a stream, in their order.
// The digest of a file is a stream of one segment without a prefix.
type Job struct {
	Segments []Segment
	// Git requests git's SHA-1 of a blob instead, for one file; its Sum is
	// padded with zeros.
	Git bool
}

// File returns the job of one file.
func File(path string, id Identity) Job {
	return Job{Segments: []Segment{{Path: path, Identity: id}}}
}

// GitBlob returns the job for git's name of a file's content.
func GitBlob(path string, id Identity) Job {
	return Job{Segments: []Segment{{Prefix: fmt.Sprintf("blob %d\x00", id.Size), Path: path, Identity: id}}, Git: true}
}

func (j Job) hash() hash.Hash {
	if j.Git {
		return sha1.New() //nolint:gosec // git's names of blobs are SHA-1
	}
	return sha256.New()
}

// Bytes returns how much has to be read.
func (j Job) Bytes() int64 { return length(j.Segments) }

func (j Job) key() key {
	if j.Git {
		return fileKey(kindGit, j.Segments[0].Identity)
	}
	if len(j.Segments) == 1 && j.Segments[0].Prefix == "" {
		return fileKey(kindFile, j.Segments[0].Identity)
	}
	return sumKey(kindStream, j.about())
}

// about identifies what is read, and in which order.
func (j Job) about() Sum {
	h := sha256.New()
	var b []byte
	for _, s := range j.Segments {
		b = binary.LittleEndian.AppendUint64(b[:0], uint64(len(s.Prefix)))
		b = append(b, s.Prefix...)
		h.Write(s.Identity.append(b))
	}
	return Sum(h.Sum(nil))
}

// settled reports whether a later change of any file would show.
func (j Job) settled(began time.Time) bool {
	return !slices.ContainsFunc(j.Segments, func(s Segment) bool { return !s.Identity.settled(began) })
}

// Result is the result of a job. The zero value is not a digest.
type Result struct {
	Sum    Sum
	Err    error
	Cached bool // it was not computed
	Done   bool
}

// Progress is how far a run is.
type Progress struct {
	Done, Total int64 // bytes, including those that did not have to be read
	Read        int64 // bytes that this process read
}

// Engine computes digests on all processors.
type Engine struct {
	Cache *Cache
	// Fresh reads everything again, even if it is known.
	Fresh bool
	// Remembered reads nothing: an unknown job returns ErrUnknown.
	Remembered bool
	// Tell is called with the progress, a few times a second. It must not
	// block.
	Tell func(Progress)
}

// ErrUnknown is the error of a job without a known result.
var ErrUnknown = errors.New("it was not hashed before")

const tellEvery = 250 * time.Millisecond

// Run does the jobs and returns their results in the same order. When ctx ends,
// missing results have ctx's error.
func (e Engine) Run(ctx context.Context, jobs []Job) []Result {
	r := &run{Engine: e, jobs: jobs, results: make([]Result, len(jobs))}
	e.Cache.refresh()
	queue := r.plan()
	switch {
	case len(queue) > 0 && e.Remembered:
		for _, i := range queue {
			r.results[i] = Result{Err: ErrUnknown, Done: true}
		}
	case len(queue) > 0:
		defer AllProcessors()()
		stop := r.reportProgress()
		r.work(ctx, queue)
		stop()
	}
	for i, at := range r.duplicates {
		r.results[i] = r.results[at]
	}
	for i := range r.results {
		if !r.results[i].Done && r.results[i].Err == nil {
			r.results[i].Err = context.Cause(ctx)
		}
	}
	return r.results
}

// run is one call of Run.
type run struct {
	Engine
	jobs       []Job
	results    []Result
	duplicates map[int]int // a job, by the first one with the same key
	total      int64
	done       atomic.Int64
	read       atomic.Int64

	mu    sync.Mutex
	queue []int // jobs that were not started yet, the largest first
}

// plan fills in the known digests and returns the rest, the largest first, so that the last to
// end is a small one.
func (r *run) plan() []int {
	r.duplicates = map[int]int{}
	first := map[key]int{}
	for i, j := range r.jobs {
		k := j.key()
		r.total += j.Bytes()
		if at, ok := first[k]; ok {
			r.duplicates[i] = at
			r.done.Add(j.Bytes())
			continue
		}
		first[k] = i
		if !r.Fresh && r.known(i) {
			continue
		}
		r.queue = append(r.queue, i)
	}
	slices.SortStableFunc(r.queue, func(a, b int) int { return cmp.Compare(r.jobs[b].Bytes(), r.jobs[a].Bytes()) })
	return r.queue
}

// known answers a job from the cache.
func (r *run) known(i int) bool {
	sum, ok := r.Cache.get(r.jobs[i].key())
	if ok {
		r.results[i] = Result{Sum: sum, Cached: true, Done: true}
		r.done.Add(r.jobs[i].Bytes())
	}
	return ok
}

func (r *run) work(ctx context.Context, queue []int) {
	var workers sync.WaitGroup
	idle := runtime.GOMAXPROCS(0) - len(queue)
	for range min(runtime.GOMAXPROCS(0), len(queue)) {
		workers.Go(func() { r.worker(ctx, idle > 0) })
	}
	workers.Wait()
}

func (r *run) worker(ctx context.Context, helped bool) {
	reader := newReader(func(n int) { r.done.Add(int64(n)); r.read.Add(int64(n)) })
	reader.helped = helped
	for ctx.Err() == nil {
		i := r.next()
		if i < 0 {
			return
		}
		r.do(ctx, reader, i)
	}
}

// next takes the next job, -1 at the end of all work.
func (r *run) next() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return -1
	}
	i := r.queue[0]
	r.queue = r.queue[1:]
	return i
}

func (r *run) do(ctx context.Context, reader *reader, i int) {
	began := time.Now()
	h := r.jobs[i].hash()
	err := reader.copyInto(ctx, h, r.jobs[i].Segments)
	if err != nil {
		r.results[i] = Result{Err: err, Done: ctx.Err() == nil}
		return
	}
	var sum Sum
	copy(sum[:], h.Sum(nil))
	r.results[i] = Result{Sum: sum, Done: true}
	if r.jobs[i].settled(began) {
		r.Cache.put(r.jobs[i].key(), sum)
	}
}

// reportProgress reports the progress until stop is called.
func (r *run) reportProgress() (stop func()) {
	if r.Tell == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var w sync.WaitGroup
	w.Go(func() {
		tick := time.NewTicker(tellEvery) // quick runs report no progress
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				r.Tell(Progress{Done: r.done.Load(), Total: r.total, Read: r.read.Load()})
			}
		}
	})
	return func() { cancel(); w.Wait() }
}
