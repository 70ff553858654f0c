// SPDX-License-Identifier: Apache-2.0

package facts

// StoreWant is one model that the Model Store has to hold, as upstream's loader
// will look for it.
type StoreWant struct {
	Agent, Model string // as AGENT_MODEL_MAP names them
	ID           string // the hub's id, which names the directory models--ORG--NAME
	Owner        string // whose directory below the root holds it
	Version      string // which of its versions, "": the one that current points at
	Path         string // instead of both: a directory, absolute or below the root
	Base         string // base_ref, "" for a model that stands alone
	BaseUnknown  bool   // base_models does not define Base
	Adapter      string // the adapter's directory, absolute or below the root, "": none
	AdapterName  string
	Line, Column int // of the entry in the map
}

// Store is one look at a Model Store, by one user.
type Store struct {
	Root   string
	User   string      // as whom it was looked at
	Loader string      // who has to read it, "" where that is not known
	Fault  *StoreFault // why there is no store at all
	Agents []string    // directories below the root, sorted
	// Trees are what can be verified by a manifest or a seal: the versions, and
	// the adapters beside them.
	Trees  []StoreTree
	Models []StoreModel
	Free   int64 // for who may not use the reserve; -1: not known
}

// AsLoader reports whether the look was that of the user who loads the models.
func (s Store) AsLoader() bool { return s.Loader == "" || s.User == s.Loader }

// StoreTree is one version of an agent's models, or a directory of its own that
// the map names.
type StoreTree struct {
	Owner   string
	Name    string // "" for a directory that is not a version
	Path    string // links resolved; "" where there is none
	Named   string // the path as the loader has it
	Current StoreLink
	Fault   *StoreFault // why there is no version
	Staged  []string    // versions/NAME.tmp, half copied or left over
	Others  []string    // versions that are there, sorted
	IDs     []string    // models in the layout of the Hugging Face cache
	Adapter bool
}

// StoreLink says what an agent's current is. The zero value is none.
type StoreLink string

// What current can be.
const (
	CurrentUnused    StoreLink = "unused"    // the map names the version itself
	CurrentLink      StoreLink = "link"      // a link to a version: as it should be
	CurrentDirectory StoreLink = "directory" // no link: it cannot be replaced at once
	CurrentElsewhere StoreLink = "elsewhere" // a link to something that is not a version of the agent
)

// StoreModel is what was found of one model.
type StoreModel struct {
	Want   StoreWant
	Tree   int    // index in Trees, -1: none
	Dir    string // what the loader opens, "" where it finds nothing
	Faults []StoreFault
	Files  int
	Bytes  int64
	// Snapshots are the revisions that are there; the loader takes the first.
	Snapshots []string
	Main      string // the revision that refs/main names
}

// FaultKind says what is wrong with a path. The zero value is not known.
type FaultKind string

// The faults.
const (
	Absent      FaultKind = "absent"       // there is no such entry
	NoDirectory FaultKind = "no-directory" // it is something else
	Denied      FaultKind = "denied"       // the user may not read or search it
	Dangling    FaultKind = "dangling"     // a link that leads nowhere
	Escaping    FaultKind = "escaping"     // a link out of the store
	NoModel     FaultKind = "no-model"     // the version holds no such model
	NoSnapshot  FaultKind = "no-snapshot"  // the model's directory holds no snapshot
	NoConfig    FaultKind = "no-config"    // the directory holds no model
	NoWeights   FaultKind = "no-weights"   // a model, but no file of weights
	PartMissing FaultKind = "part-missing" // an index lists a file that is not there
	Unfinished  FaultKind = "unfinished"   // a download that was not finished
	EmptyFile   FaultKind = "empty"        // no bytes
	Pointer     FaultKind = "pointer"      // git-lfs never fetched the content
	BadContent  FaultKind = "bad-content"  // the header or the text does not parse
	Cut         FaultKind = "cut"          // shorter than its own header says
	Odd         FaultKind = "odd"          // neither file nor directory
	Unreadable  FaultKind = "unreadable"   // reading failed, and not for a permission
	NoAdapter   FaultKind = "no-adapter"   // the adapter's directory is not there
	NoBase      FaultKind = "no-base"      // the adapter's base model is not defined
)

// StoreFault is one thing that is wrong.
type StoreFault struct {
	Kind   FaultKind
	Path   string
	Detail string       // evidence for a person
	Target string       // with Dangling: where the link leads
	Denial *StoreDenial // with Denied
	Weighs bool         // the file holds weights or is read by every load
}

// StoreDenial is the first place on the way to a path that keeps the user out.
type StoreDenial struct {
	Path  string
	Dir   bool
	Needs string // "x" to search a directory, "r" to read, "rx" to list
	Mode  uint32 // permission bits
	UID   int
	GID   int
	// Class is whose bits decide for this user: "owner", "group" or "others".
	Class string
	// Allowed is true where the bits allow it: something else refuses.
	Allowed bool
	// ACL is true where the place has an access control list beside its bits.
	ACL bool
}

// StoreProof is what hashing a tree came to.
type StoreProof struct {
	Tree  int // index in Trees
	Owner string
	Name  string
	Path  string
	By    string // "seal", "manifest" or "" where there is nothing to compare with

	Verdict  ProofVerdict
	Flaws    []ProofFlaw
	Expected string // upstream's checksum, as its manifest has it
	Found    string // in the order in which the file system lists
	// Reordered tells that the checksum was made in another order of directories.
	Reordered bool
	Orders    float64 // that there can be
	Tried     int
	// Witnessed is how many files prove their content by their own names, which
	// are digests in the Hugging Face cache.
	Witnessed int
	Suspects  []string // files that are younger than the manifest

	ManifestVersion string
	ManifestFault   string // why it cannot be used
	SealFault       string

	Files  int
	Bytes  int64
	Read   int64 // bytes that had to be read: 0 where all was remembered
	Reason string
}

// ProofVerdict is what a proof amounts to. The zero value proves nothing.
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

// FlawKind says how a file differs.
type FlawKind string

// The flaws.
const (
	FlawMissing FlawKind = "missing" // manifested, and not there
	FlawExtra   FlawKind = "extra"   // there, and not manifested
	FlawSize    FlawKind = "size"
	FlawContent FlawKind = "content"
	FlawLink    FlawKind = "link" // a link with another target
	FlawLost    FlawKind = "lost" // a link that leads nowhere
	FlawDenied  FlawKind = "denied"
	FlawRead    FlawKind = "read" // reading failed
	FlawOdd     FlawKind = "odd"  // what no checksum can cover
)
