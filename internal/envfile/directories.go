// SPDX-License-Identifier: Apache-2.0

package envfile

import (
	"path"
	"slices"
	"strings"
)

// Cache is a directory below a home in which a library keeps what it downloads.
type Cache struct {
	Below string
	// Variable leads there if XDG_CACHE_HOME leads elsewhere, "": the library does not
	// follow XDG_CACHE_HOME. Beside are variables that do the same.
	Variable string
	Beside   []string
	Written  bool // also while its agent is running
}

// Caches are those of the libraries that JustNews uses.
var Caches = []Cache{
	{".cache/huggingface", "HF_HOME", []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE"}, true},
	{".cache/torch", "TORCH_HOME", nil, true},
	{".cache/ms-playwright", "PLAYWRIGHT_BROWSERS_PATH", nil, false},
	{".crawl4ai", "", nil, true},
}

// directorySuffixes are the suffixes of variables with the directories of a program's files.
var directorySuffixes = []string{"_DIR", "_DIRECTORY", "_PATH", "_HOME", "_CACHE", "_ROOT", "_FOLDER", "_LOG", "_LOG_FILE"}

// onlyRead name what agents read and never write: toolkits, interpreters,
// search paths, the Model Store and its map.
var onlyRead = []string{
	"CUDA_HOME", "CUDA_PATH", "JAVA_HOME", "LD_LIBRARY_PATH", "LIBRARY_PATH", "PKG_CONFIG_PATH", "CANONICAL_PYTHON_PATH", "PLAYWRIGHT_BROWSERS_PATH",
	"MODEL_STORE_ROOT", "BASE_MODEL_DIR", "AGENT_MODEL_MAP_PATH", "SERVICE_DIR", "JUSTNEWS_ROOT", "PROJECT_ROOT",
	"CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY", "NLTK_DATA_PATH",
}

// written end the names of files that a program writes: a database needs its
// directory, too, for its journal.
var written = []string{".db", ".sqlite", ".sqlite3", ".log", ".jsonl"}

// Directory returns the directory that a variable has its program write to, ""
// if it names none.
func Directory(name, value string) string {
	if !slices.ContainsFunc(directorySuffixes, func(s string) bool { return strings.HasSuffix(name, s) }) ||
		slices.Contains(onlyRead, name) || strings.HasPrefix(name, "CONDA_") || !path.IsAbs(value) || strings.ContainsAny(value, "$`:;, \t") {
		return ""
	}
	clean := path.Clean(value)
	switch ext := path.Ext(clean); {
	case slices.Contains(written, ext):
		return path.Dir(clean)
	case ext != "" && !strings.HasPrefix(path.Base(clean), ".") && !strings.HasSuffix(name, "_DIR"):
		return "" // a file that is read: a configuration, a program, a key
	}
	return clean
}
