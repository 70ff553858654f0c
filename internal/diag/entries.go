// SPDX-License-Identifier: Apache-2.0

package diag

import "slices"

// catalog is the one place where the meaning and the cure of every problem
// stand, in the order of the manual. A MESSAGE_ID, once published, never
// changes.
//
//nolint:gochecknoglobals // a constant table, which Go cannot declare const
var catalog = slices.Concat(configEntries, mpsEntries, modelEntries, storeEntries, gpuEntries, preflightEntries, hostEntries, recordEntries, operatorEntries, importEntries)
