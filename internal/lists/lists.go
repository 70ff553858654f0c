// SPDX-License-Identifier: Apache-2.0

// Package lists has what the standard library's slices lacks.
package lists

import "slices"

// Map returns the results of f for each element of a list. It is never nil.
func Map[T, U any](list []T, f func(T) U) []U {
	all := make([]U, len(list))
	for i, v := range list {
		all[i] = f(v)
	}
	return all
}

// Filter returns the elements of a list that are kept, nil for none.
func Filter[T any](list []T, keep func(T) bool) []T {
	var kept []T
	for _, v := range list {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// Find returns the first element of a list that is wanted.
func Find[T any](list []T, is func(T) bool) (found T, ok bool) {
	i := slices.IndexFunc(list, is)
	if i < 0 {
		return found, false
	}
	return list[i], true
}

// Flat returns the results of f for each element of a list, one after the other.
func Flat[T, U any](list []T, f func(T) []U) []U {
	return slices.Concat(Map(list, f)...)
}
