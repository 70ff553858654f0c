// SPDX-License-Identifier: Apache-2.0

package cli

import "io"

// output remembers whether data was lost: a command whose product is its
// output has failed without it.
type output struct {
	w   io.Writer
	err error
}

// Write passes data on until that fails once.
func (o *output) Write(data []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(data)
	o.err = err
	return n, err
}
