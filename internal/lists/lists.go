// SPDX-License-Identifier: Apache-2.0

// Package lists has what the standard library's slices lacks.
package lists

// Map returns the results of f for each element of a list. It is never nil.
func Map[T, U any](list []T, f func(T) U) []U {
	all := make([]U, len(list))
	for i, v := range list {
		all[i] = f(v)
	}
	return all
}
