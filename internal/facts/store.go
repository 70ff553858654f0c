// SPDX-License-Identifier: Apache-2.0

package facts

// StoreWant is one model that the Model Store must have, as JustNews' loader
// looks for it.
type StoreWant struct {
	Agent, Model string // as AGENT_MODEL_MAP names them
	ID           string // the hub's id, which names the directory models--ORG--NAME
	Owner        string // agent whose directory below the root has it
	Version      string // its version, "": the one that current points to
	Path         string // instead of both: a directory, absolute or relative to the root
	Base         string // base_ref, "" for a model that stands alone
	BaseUnknown  bool   // base_models does not define Base
	Adapter      string // the adapter's directory, absolute or below the root, "": none
	Line, Column int    // of the entry in the map
}

// Store is one look at a Model Store, by one user.
type Store struct {
	Root   string
	User   string      // user of the look
	Loader string      // user that has to read it, "" if unknown
	Fault  *StoreFault // why there is no store at all
	Agents []string    // directories below the root, sorted
	// Trees are what can be verified by a manifest or a seal: the versions, and
	// the adapters next to them.
	Trees  []StoreTree
	Models []StoreModel
	Free   int64 // for unprivileged users; -1: unknown
}

// AsLoader reports whether the look was made as the user that loads the models.
func (s Store) AsLoader() bool { return s.Loader == "" || s.User == s.Loader }

// StoreTree is one version of an agent's models, or a separate directory from
// the map.
type StoreTree struct {
	Owner   string
	Name    string // "" for a directory that is not a version
	Path    string // links resolved; "" where there is none
	Named   string // the path as the loader uses it
	Current StoreLink
	Fault   *StoreFault // why there is no version
	Staged  []string    // versions/NAME.tmp, incomplete or left over
	Others  []string    // existing versions, sorted
	IDs     []string    // models in the layout of the Hugging Face cache
	Adapter bool
}

// What the directory of an agent has.
const (
	StoreVersions = "versions" // a directory for each version
	StoreCurrent  = "current"  // a link to one of them
)

// StoreLink is the kind of an agent's current. The zero value is none.
type StoreLink string

// What current can be.
const (
	CurrentUnused    StoreLink = "unused"    // the map names the version itself
	CurrentLink      StoreLink = "link"      // a link to a version, as expected
	CurrentDirectory StoreLink = "directory" // not a link: it cannot be replaced atomically
	CurrentElsewhere StoreLink = "elsewhere" // a link to something that is not a version of the agent
)

// StoreModel is what was found about one model.
type StoreModel struct {
	Want   StoreWant
	Tree   int    // index in Trees, -1: none
	Dir    string // what the loader opens, "" if it finds nothing
	Faults []StoreFault
	Files  int
	Bytes  int64
	// Snapshots are the existing revisions; the loader uses the first.
	Snapshots []string
	Main      string // the revision that refs/main names
}

// FaultKind is what is wrong with a path. The zero value is unknown.
type FaultKind string

// The faults.
const (
	Absent      FaultKind = "absent"       // there is no such entry
	NoDirectory FaultKind = "no-directory" // it is not a directory
	Denied      FaultKind = "denied"       // the user may not read or search it
	Dangling    FaultKind = "dangling"     // a dangling link
	Escaping    FaultKind = "escaping"     // a link out of the store
	NoModel     FaultKind = "no-model"     // the version holds no such model
	NoSnapshot  FaultKind = "no-snapshot"  // the model's directory contains no snapshot
	NoConfig    FaultKind = "no-config"    // the directory holds no model
	NoWeights   FaultKind = "no-weights"   // a model, but no file of weights
	NoTokenizer FaultKind = "no-tokenizer" // a file that the tokenizer is made of does not exist
	PartMissing FaultKind = "part-missing" // an index lists a file that does not exist
	Unfinished  FaultKind = "unfinished"   // a download that was not finished
	EmptyFile   FaultKind = "empty"        // no bytes
	Pointer     FaultKind = "pointer"      // git-lfs never fetched the content
	BadContent  FaultKind = "bad-content"  // the header or the text is invalid
	Cut         FaultKind = "cut"          // shorter than its own header states
	Odd         FaultKind = "odd"          // neither file nor directory
	Unreadable  FaultKind = "unreadable"   // reading failed, and not for a permission
	NoAdapter   FaultKind = "no-adapter"   // the adapter's directory does not exist
	NoBase      FaultKind = "no-base"      // the adapter's base model is not defined
)

// StoreFault is one thing that is wrong.
type StoreFault struct {
	Kind   FaultKind
	Path   string
	Detail string       // evidence for a person
	Target string       // with Dangling: where the link leads
	Leads  string       // where Path leads through all links, "": not known
	Denial *StoreDenial // with Denied
}

// StoreDenial is the first component of a path that the user cannot access.
type StoreDenial struct {
	Path  string
	Dir   bool
	Needs string // "x" to search a directory, "r" to read, "rx" to list
	Mode  uint32 // permission bits
	UID   int
	GID   int
	// Class is which permission bits apply to this user: "owner", "group" or
	// "others".
	Class string
	// Allowed is true if the bits allow it, so something else denies access.
	Allowed bool
	// ACL is true if it has an access control list in addition to its mode.
	ACL bool
}

// StoreProof is the result of verifying a tree.
type StoreProof struct {
	Tree  int // index in Trees
	Owner string
	Name  string
	Path  string
	By    string // "seal", "manifest" or "" if there is nothing to compare with

	Verdict  ProofVerdict
	Flaws    []ProofFlaw
	Expected string // JustNews' checksum in its manifest
	Found    string // in the file system's own order
	// Reordered is true if the checksum was made with another order of
	// directories.
	Reordered bool
	Orders    float64 // number of possible orders
	Tried     int
	// Witnessed is how many files match the digests in their names, as in the
	// Hugging Face cache.
	Witnessed int
	Suspects  []string // files newer than the manifest

	ManifestVersion string
	ManifestFault   string // why it cannot be used
	SealFault       string

	Files  int
	Bytes  int64
	Read   int64 // bytes that had to be read, 0 if everything was known
	Reason string
}

// ProofVerdict is the verdict of a proof. The zero value proves nothing.
type ProofVerdict string

// The verdicts.
const (
	Unproven   ProofVerdict = ""          // not tried
	Whole      ProofVerdict = "whole"     // every byte is the one that was manifested
	Differs    ProofVerdict = "differs"   // it is not
	Undecided  ProofVerdict = "undecided" // the order of directories may be all that differs
	NoManifest ProofVerdict = "unsealed"  // nothing to compare with
	Unchecked  ProofVerdict = "unchecked" // reading failed: nothing is known
	OutOfTime  ProofVerdict = "out-of-time"
)

// ProofFlaw is one file that is not as manifested.
type ProofFlaw struct {
	Kind   FlawKind
	Path   string
	Detail string
}

// FlawKind is the way in which a file differs.
type FlawKind string

// The flaws.
const (
	FlawMissing FlawKind = "missing" // manifested, and not there
	FlawExtra   FlawKind = "extra"   // there, and not manifested
	FlawSize    FlawKind = "size"
	FlawContent FlawKind = "content"
	FlawLink    FlawKind = "link" // a link with another target
	FlawLost    FlawKind = "lost" // a dangling link
	FlawDenied  FlawKind = "denied"
	FlawRead    FlawKind = "read" // reading failed
	FlawOdd     FlawKind = "odd"  // what no checksum can cover
)
