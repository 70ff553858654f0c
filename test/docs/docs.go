// SPDX-License-Identifier: Apache-2.0

// Package docs holds the tests of what people read: the README, the change log
// and the manual pages say what the programs do, and nothing else.
package docs
