// SPDX-License-Identifier: Apache-2.0

// Package docs tests the documents: the README, the changelog and the manual pages describe
// what the programs do, and nothing else.
package docs
