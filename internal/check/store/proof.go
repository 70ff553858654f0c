// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

const maxNamed = 8

// Proofs returns what is wrong with the content of the Model Store.
func Proofs(proofs []facts.StoreProof, look facts.Store, w Wanted) []diag.Problem {
	j := judge{look: look, want: w, said: map[string]bool{}}
	for _, p := range proofs {
		j.proof(p)
	}
	return j.settled()
}

func (j *judge) proof(p facts.StoreProof) {
	j.manifest(p)
	switch p.Verdict {
	case facts.Whole:
	case facts.Differs:
		j.differs(p)
	case facts.NoManifest:
		j.noManifest(p)
	case facts.Undecided:
		j.undecided(p)
	case facts.OutOfTime:
		j.say(p.Path, diag.Found(diag.StoreTimeout, version(p), "it was still being hashed at the deadline",
			"a version of "+check.Size(p.Bytes), "a result within GATE_TIMEOUT",
			diag.Advise("raise gate.timeout in /etc/justnews/justnews.toml, or verify the store once: finished hashes are remembered", diag.Reload()).Looking(diag.Run("justnews-gate", "models", "verify"))))
	case facts.Unchecked:
		j.unchecked(p)
	case facts.Unproven:
		// There is no version, which the look has reported.
	}
}

func version(p facts.StoreProof) string {
	return diag.Clean(cmp.Or(p.Owner, "store") + ": " + cmp.Or(p.Name, p.Path))
}

func (j *judge) manifest(p facts.StoreProof) {
	if p.SealFault != "" && p.Verdict != facts.NoManifest { // the advice would be to certify what nothing proves
		j.say(p.Path, diag.Found(diag.StoreManifest, version(p), "its seal is not used",
			diag.Clean(p.SealFault), "a seal of the current version", sealing(p)).As(diag.Warning))
	}
	if p.ManifestVersion != "" && p.Name != "" && p.ManifestVersion != p.Name {
		j.say(p.Path+" version", diag.Found(diag.StoreManifest, version(p), "its manifest.json belongs to another version",
			diag.Quote(p.ManifestVersion), diag.Quote(p.Name), diag.Advise("copy the version under its own name")).As(diag.Warning))
	}
}

func sealing(p facts.StoreProof) diag.Fix {
	return diag.Do(diag.Run("justnews-gate", "models", "seal", "--", cmp.Or(p.Owner, "AGENT")))
}

// trusted is the fix for a version that nothing proves. A seal is a file in it.
func (j *judge) trusted(p facts.StoreProof) diag.Fix {
	advice := "if you trust it as it is, seal it (on another host if this one has it on a read-only file system)"
	if j.want.VerifyPreload == "manifest" {
		advice += `, or set models.verify_preload = "presence" in /etc/justnews/justnews.toml`
	}
	return diag.Advise(advice, sealing(p).Commands[0], diag.Retry())
}

func (j *judge) noManifest(p facts.StoreProof) {
	seen := "neither manifest.json nor a seal"
	if p.SealFault != "" {
		seen = "no manifest.json, and a seal that cannot be used (" + diag.Clean(p.SealFault) + "),"
	}
	problem := diag.Found(diag.StoreManifest, version(p), "it cannot be verified: it has no checksum",
		cmp.Or(diag.Clean(p.ManifestFault), seen)+" in "+diag.Clean(p.Path), "upstream's manifest.json with a checksum, or a seal",
		j.trusted(p))
	if p.Name == "" {
		// JustNews writes a manifest for versions only.
		problem.Severity = diag.Notice
	}
	j.say(p.Path, problem)
}

func (j *judge) undecided(p facts.StoreProof) {
	witnessed := ""
	if p.Witnessed > 0 {
		witnessed = "; verified by the hash in the name: " + diag.Count(p.Witnessed, "file")
	}
	j.say(p.Path, diag.Found(diag.StoreUnverified, version(p), "it cannot be verified: the checksum depends on the order in which the file system lists directories",
		fmt.Sprintf("another checksum in each of %d orders that were tried of %.3g%s", p.Tried, p.Orders, witnessed), "SHA-256 "+p.Expected+" in one of them",
		j.trusted(p)))
}

// differs lists the affected files if they are known. Missing files make a version
// incomplete, different ones make it corrupt.
func (j *judge) differs(p facts.StoreProof) {
	var missing, lost, odd, wrong []facts.ProofFlaw
	for _, f := range p.Flaws {
		switch f.Kind {
		case facts.FlawMissing:
			missing = append(missing, f)
		case facts.FlawLost:
			lost = append(lost, f)
		case facts.FlawOdd:
			odd = append(odd, f)
		case facts.FlawDenied, facts.FlawRead:
			j.flawed(p, f)
		default:
			wrong = append(wrong, f)
		}
	}
	copied := diag.Advise(fmt.Sprintf("copy the version again from an intact source to %s", diag.Quote(p.Path)), diag.Retry())
	if len(missing) > 0 {
		j.say(p.Path, diag.Found(diag.StoreFile, version(p), "files of the manifest are missing: "+j.lostIn(p.Path, missing),
			flaws(missing), "every file of its "+p.By, copied))
	}
	if len(lost) > 0 {
		j.say(p.Path, diag.Found(diag.StoreLink, version(p), "links of the version are dangling: "+j.lostIn(p.Path, lost),
			flaws(lost), "links to files", copied))
	}
	if len(odd) > 0 {
		j.say(p.Path, diag.Found(diag.StoreCorrupt, version(p), "it contains what no checksum can cover: "+j.lostIn(p.Path, odd),
			flaws(odd), "only files, directories and links, with names in UTF-8",
			diag.Advise("remove or rename it, or copy the version again from an intact source", diag.Retry())))
	}
	if len(wrong) > 0 || len(p.Flaws) == 0 {
		j.say(p.Path, diag.Found(diag.StoreCorrupt, version(p), "its content does not match the manifest: "+j.lostIn(p.Path, wrong),
			j.evidence(p, wrong), expectedContent(p), copied))
	}
}

// evidence explains why the version is corrupt, and not merely hashed in another
// order.
func (j *judge) evidence(p facts.StoreProof, wrong []facts.ProofFlaw) string {
	switch {
	case len(wrong) > 0:
		return flaws(wrong)
	case p.Tried > 1:
		return fmt.Sprintf("another checksum in all of the %.0f orders that its directories can have", p.Orders) + suspects(p)
	default:
		return "SHA-256 " + p.Found + suspects(p)
	}
}

func suspects(p facts.StoreProof) string {
	if len(p.Suspects) == 0 {
		return ""
	}
	return "; changed after the manifest was written: " + list(p.Suspects)
}

func expectedContent(p facts.StoreProof) string {
	switch p.By {
	case "seal":
		return "every file as sealed"
	case "":
		return "blobs whose content matches their names"
	}
	return "SHA-256 " + p.Expected + " (manifest.json)"
}

func (j *judge) unchecked(p facts.StoreProof) {
	for _, f := range p.Flaws {
		j.flawed(p, f)
	}
	if len(p.Flaws) > 0 {
		return
	}
	j.say(p.Path, diag.Found(diag.StoreUnverified, version(p), "it cannot be verified",
		diag.Clean(cmp.Or(p.Reason, "no reason was given")), "a readable version that does not change",
		diag.Advise("wait until no copy is in progress", diag.Retry())))
}

func (j *judge) flawed(p facts.StoreProof, f facts.ProofFlaw) {
	code, fix := diag.StoreRead, diag.Advise(fmt.Sprintf("check the kernel log for disk errors, and copy the version again to %s", diag.Quote(p.Path)), diag.Retry()).Looking(diag.Run("journalctl", "-k"))
	if f.Kind == facts.FlawDenied {
		code, fix = diag.StorePermission, diag.Do(diag.Run("sudo", "justnews-gate", "models", "verify", "--", p.Owner))
	}
	j.say(f.Path, diag.Found(code, version(p), "a file cannot be read, so that the version cannot be verified",
		diag.Clean(f.Path+": "+f.Detail), "readable files", fix))
}

// lostIn names the models that are affected by flaws of a version: all of its models
// if a flaw is not in the directory of one.
func (j *judge) lostIn(path string, of []facts.ProofFlaw) string {
	for i, t := range j.look.Trees {
		if t.Path != path {
			continue
		}
		return j.names(func(m facts.StoreModel) bool {
			return m.Tree == i && (len(of) == 0 || slices.ContainsFunc(of, func(f facts.ProofFlaw) bool { return touches(f, m) }))
		})
	}
	return filepath.Base(path)
}

// touches reports whether a flaw is in the directory of a model, or in no model's.
func touches(f facts.ProofFlaw, m facts.StoreModel) bool {
	first, _, _ := strings.Cut(f.Path, "/")
	return !strings.HasPrefix(first, "models--") || first == "models--"+strings.ReplaceAll(m.Want.ID, "/", "--")
}

func flaws(all []facts.ProofFlaw) string {
	var parts []string
	for _, f := range all {
		part := f.Path
		switch {
		case f.Detail != "":
			part += " (" + f.Detail + ")"
		case f.Kind == facts.FlawExtra:
			part += " (not manifested)"
		}
		parts = append(parts, part)
	}
	return list(parts)
}

func list(all []string) string {
	if more := len(all) - maxNamed; more > 0 {
		all = append(slices.Clone(all[:maxNamed]), fmt.Sprintf("%d more", more))
	}
	return diag.Clean(strings.Join(all, ", "))
}
