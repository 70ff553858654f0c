// SPDX-License-Identifier: Apache-2.0

package contents

import "justnews/internal/cli"

// completion is the completion script of a shell, as the program prints it.
func completion(shell string) Maker {
	return func(string) ([]byte, error) {
		script, err := cli.Completion(shell)
		return []byte(script), err
	}
}
