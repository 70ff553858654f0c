// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	"justnews/internal/config"
)

// maxTimeout keeps the sums below the 292 years of a time.Duration, whatever
// somebody writes into an environment file.
const maxTimeout = 365 * 24 * time.Hour

// startTimeout returns TimeoutStartSec= of an instance: the largest budget that
// its gate can be given, plus what its service needs to start. Which of the
// budgets holds is decided at run time (an environment file beats
// Environment=); a smaller one only ends the gate earlier.
func startTimeout(m Machine, inst *config.Instance) time.Duration {
	longest := max(inst.Gate.Timeout, m.EnvTimeouts[globalEnv], m.EnvTimeouts[inst.Name])
	return min(longest, maxTimeout) + inst.Service.StartGrace
}

// baseTimeout is the same for an instance that the configuration does not list:
// it may have any of the environment files.
func baseTimeout(gate time.Duration, m Machine) time.Duration {
	for _, t := range m.EnvTimeouts {
		gate = max(gate, t)
	}
	return min(gate, maxTimeout) + DefaultStartGrace
}

// preloadTimeout is the same for justnews-preload.service, which reads
// global.env only.
func preloadTimeout(c *config.Config, m Machine) time.Duration {
	return min(max(c.Gate.Timeout, m.EnvTimeouts[globalEnv]), maxTimeout) + DefaultStartGrace
}
