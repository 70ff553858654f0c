// SPDX-License-Identifier: Apache-2.0

package envfile

import "testing"

func TestDirectories_SetByVariables(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"LOG_DIR", "/var/log/justnews/", "/var/log/justnews"},
		{"CRAWL4AI_MODEL_CACHE_DIR", "/var/lib/justnews/crawl4ai_model_cache", "/var/lib/justnews/crawl4ai_model_cache"},
		{"HF_HOME", "/data/hf", "/data/hf"},
		{"TRANSFORMERS_CACHE", "/data/hf/hub", "/data/hf/hub"},
		{"HITL_DB_PATH", "/srv/hitl/staging.db", "/srv/hitl"},
		{"FEEDBACK_LOG", "/srv/feedback/critic.log", "/srv/feedback"},
		{"ARCHIVE_STORAGE_PATH", "/srv/archive.d/../archive", "/srv/archive"},
		{"HITL_DB_PATH", "agents/hitl_service/staging.db", ""},
		{"LD_LIBRARY_PATH", "/usr/local/cuda/lib64", ""},
		{"EXTRA_PATH", "/a:/b", ""},
		{"CUDA_HOME", "/usr/local/cuda", ""},
		{"MODEL_STORE_ROOT", "/opt/justnews/models", ""},
		{"PROFILE_PATH", "/etc/profile.yaml", ""},
		{"X_DIR", "${HOME}/x", ""},
		{"PYTHON_BIN", "/usr/bin/python3", ""},
	} {
		if got := Directory(c.name, c.value); got != c.want {
			t.Errorf("%s=%s: %q, not %q", c.name, c.value, got, c.want)
		}
	}
}
