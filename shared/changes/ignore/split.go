package ignore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// part is what is between two dots: a name and what follows it in brackets.
type part struct{ name, key string }

// split splits a text at its dots, except those in quotation marks.
func split(text string) ([]part, error) {
	if text == "" {
		return nil, errors.New("it is empty")
	}
	var parts []part
	for {
		end := strings.IndexAny(text, ".[")
		p := part{name: text}
		if end >= 0 {
			p.name = text[:end]
		}
		if strings.ContainsAny(p.name, "\"'`] \t\r\n") {
			return nil, fmt.Errorf("%q has a quotation mark, a bracket or a space: a name with such characters or dots is written as [\"name\"]", p.name)
		}
		text = text[len(p.name):]
		for strings.HasPrefix(text, "[") {
			n := bracket(text)
			if n < 0 {
				return nil, errors.New("a bracket or a quotation mark is not closed")
			}
			p.key += text[:n]
			text = text[n:]
		}
		parts = append(parts, p)
		if text == "" {
			return parts, nil
		}
		if text[0] != '.' {
			return nil, errors.New("a dot is missing after a bracket")
		}
		text = text[1:]
	}
}

// bracket is the length of the brackets that text begins with; -1 if they are not closed.
func bracket(text string) int {
	quoted := false
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			return i + 1
		}
	}
	return -1
}

// keys are the brackets in a text that consists of nothing else.
func keys(text string) (all []string) {
	for text != "" {
		n := bracket(text)
		all = append(all, text[:n])
		text = text[n:]
	}
	return all
}

// isKey reports whether text is one instance key, with its brackets.
func isKey(text string) bool {
	if bracket(text) != len(text) {
		return false
	}
	if _, quoted := unquote(text); quoted {
		return true
	}
	n, err := strconv.Atoi(text[1 : len(text)-1])
	return err == nil && n >= 0 && strconv.Itoa(n) == text[1:len(text)-1]
}

// unquote returns the text in quotation marks in brackets; false if it is none.
func unquote(key string) (string, bool) {
	inner := key[1 : len(key)-1]
	if !strings.HasPrefix(inner, `"`) {
		return "", false
	}
	// Terraform writes ${ and %{ with a doubled first character.
	text, err := strconv.Unquote(inner)
	return strings.NewReplacer("$${", "${", "%%{", "%{").Replace(text), err == nil
}

// normal is an instance key in a form that is the same for equal keys, however they are escaped.
func normal(key string) string {
	if key == "" {
		return ""
	}
	if text, quoted := unquote(key); quoted {
		return quotedKey(text)
	}
	return key
}

func quotedKey(text string) string { return "[" + strconv.Quote(text) + "]" }

func isName(text string) bool {
	return text != "" && !strings.Contains(text, "**") && !strings.ContainsFunc(text, func(r rune) bool {
		return r < 0x80 && r != '*' && r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}
