package gha

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"strings"
)

// leastSecret is the length in bytes from which a value is redacted. Hiding
// shorter ones would make the log unreadable and tell, by the holes, what they are.
const leastSecret = 4

// Redact makes sure that the given values are not shown in groups, annotations,
// the summary and outputs from now on: *** stands in their place. So do their
// usual encodings (JSON, also within JSON; base64 in both alphabets and at every
// alignment; URL; HTML) and each line of a value of several lines.
//
// White space around a value is not part of it. Values shorter than 4 bytes are
// ignored, and so are "true", "false" and "null".
//
// Unlike [Runtime.Mask] it tells nobody, the runner included, what to hide.
func (r *Runtime) Redact(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := len(r.secrets)
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			r.secrets[form] = true
		}
	}
	if len(r.secrets) > known {
		r.patterns = newPatterns(r.secrets)
	}
}

// Redacted returns text with *** for every value given to [Runtime.Redact]. Use
// it for what leaves the step by other ways, such as a stored error text or a
// comment, and before text is escaped for Markdown: escaping changes a secret
// so that it is not recognised any more.
func (r *Runtime) Redacted(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.redacted(text)
}

func (r *Runtime) redacted(text string) string {
	var s redaction
	s.write([]byte(text))
	return string(s.read(r.patterns, true, nil))
}

// Mask redacts a credential and tells the runner to hide it, too, in this and
// all later steps of the job. It is for credentials that later steps could
// print, since the runner keeps each masked value for the rest of the job.
//
// The runner looks at single lines, so each line of the credential is masked.
// Outside of GitHub Actions (GITHUB_ACTIONS is not "true") nobody would take
// the command for one, and it would show what it is to hide: none is printed.
func (r *Runtime) Mask(secret string) {
	r.Redact(secret)
	if r.env["GITHUB_ACTIONS"] != "true" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range lines(secret) {
		if len(line) >= leastSecret {
			r.command("::add-mask::" + escapeData(line))
		}
	}
}

// lines returns the lines of s without surrounding white space.
func lines(s string) []string {
	split := strings.FieldsFunc(s, func(c rune) bool { return c == '\n' || c == '\r' })
	for i := range split {
		split[i] = strings.TrimSpace(split[i])
	}
	return split
}

// forms returns the texts by which a secret can be recognised.
func forms(secret string) []string {
	whole := strings.TrimSpace(secret)
	if !hideable(whole) {
		return nil
	}
	found := []string{
		whole,
		strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(whole), // as a group writes it
		url.QueryEscape(whole),
		url.PathEscape(whole),
		html.EscapeString(whole),
	}
	found = append(found, jsonForms(whole)...)
	found = append(found, base64Forms(whole)...)
	for _, line := range lines(whole) {
		if hideable(line) {
			found = append(append(found, line), jsonForms(line)...)
		}
	}
	return found
}

func hideable(secret string) bool {
	return len(secret) >= leastSecret && secret != "true" && secret != "false" && secret != "null"
}

// jsonForms returns secret as it looks within a JSON string, with and without
// Go's (and Terraform's) escaping of <, > and &, and within JSON in JSON.
func jsonForms(secret string) []string {
	plain, escaped := jsonEscape(secret, false), jsonEscape(secret, true)
	return []string{plain, escaped, jsonEscape(plain, false), jsonEscape(escaped, true)}
}

func jsonEscape(s string, html bool) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(html)
	if err := encoder.Encode(s); err != nil {
		return "" // a string always encodes
	}
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), `"`), "\"\n")
}

// base64Forms returns the base64 text of secret by itself and, for when it is a
// part of something longer, the characters that it alone decides: base64 turns
// 3 bytes into 4 characters, so these differ with where in the 3 it begins.
func base64Forms(secret string) []string {
	var found []string
	// Without padding, since what ends with it also ends without.
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		found = append(found, encoding.EncodeToString([]byte(secret)))
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), secret...))
			first := (8*before + 5) / 6           // the first character without a bit of what is before
			end := 8 * (before + len(secret)) / 6 // after the last one without a bit of what follows
			found = append(found, text[first:end])
		}
	}
	return found
}
