// SPDX-License-Identifier: Apache-2.0

package unitfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Verify reads text by systemd's rules and reports whether it means exactly
// what f does. It shares no code with Append except the list of forms.
func (f *File) Verify(text []byte) error {
	r := newReader(text)
	for _, s := range f.Sections {
		for _, l := range s.Lines {
			got, found, err := r.next()
			switch {
			case err != nil:
				return fmt.Errorf("cannot read the text back: %w", err)
			case !found:
				return fmt.Errorf("cannot find %s= in the text", l.key)
			}
			if err := l.means(s.Name, got); err != nil {
				return fmt.Errorf("cannot read %s= back: %w", l.key, err)
			}
		}
	}
	switch more, found, err := r.next(); {
	case err != nil:
		return fmt.Errorf("cannot read the text back: %w", err)
	case found:
		return fmt.Errorf("cannot account for %s= in the text", more.Key)
	}
	return nil
}

var errDiffers = errors.New("it differs from what was meant")

func (l Line) means(section string, got Setting) error {
	if got.Section != section || got.Key != l.key {
		return fmt.Errorf("found %s= in [%s]", got.Key, got.Section)
	}
	return l.reads(got.Value)
}

// reads reports whether systemd reads a value as intended by this line.
func (l Line) reads(value string) error {
	switch l.form {
	case formReset, formVerbatim, formPlain, formSize, formUnit:
		return same(value, l.value)
	case formPath:
		return l.readsPath(value)
	case formListedPath:
		return readsWord(value, false, l.mark, l.value)
	case formAssignment:
		return readsWord(value, true, l.mark+"=", l.value)
	case formCommandLine:
		argv, err := readCommandLine(value)
		if err == nil && !slices.Equal(argv, l.argv) {
			return errDiffers
		}
		return err
	default:
		return errors.New("a setting without a form")
	}
}

func same(got, want string) error {
	if got != want {
		return errDiffers
	}
	return nil
}

// readsPath ignores the slash that protects the end of a path.
func (l Line) readsPath(value string) error {
	p, err := undouble(value, '%')
	if err != nil || p == l.value+"/" {
		return err
	}
	return same(p, l.value)
}

// readsWord expects a single word, mark followed by want.
func readsWord(value string, unescape bool, mark, want string) error {
	if value == "" {
		return errDiffers
	}
	word, next, err := oneWord(value, 0, unescape)
	if err != nil {
		return err
	}
	word, marked := strings.CutPrefix(word, mark)
	if next != len(value) || !marked {
		return errDiffers
	}
	if word, err = undouble(word, '%'); err != nil {
		return err
	}
	return same(word, want)
}

// readCommandLine rejects every semicolon that is an unquoted word: it would
// start a second command.
func readCommandLine(value string) ([]string, error) {
	if strings.Contains(value, ";") && bareSemicolon(value) {
		return nil, errors.New("a second command")
	}
	argv, err := words(value, true)
	if err != nil {
		return nil, err
	}
	if len(argv) == 0 || !strings.HasPrefix(argv[0], "/") {
		return nil, errors.New("the command is not an absolute path")
	}
	for i, arg := range argv {
		if argv[i], err = undouble(arg, '%'); err == nil && i > 0 {
			argv[i], err = undouble(argv[i], '$')
		}
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i, err)
		}
	}
	return argv, nil
}

// bareSemicolon reports whether a word is an unquoted semicolon.
func bareSemicolon(value string) bool {
	for i := 0; i < len(value); {
		if isWhite(value[i]) {
			i++
			continue
		}
		_, next, err := oneWord(value, i, true)
		if value[i] == ';' || err != nil {
			return true
		}
		i = next
	}
	return false
}
