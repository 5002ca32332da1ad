package gha

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"strings"
)

// leastSecret is the least length in bytes of a value that is redacted. Redacting shorter ones
// would make the log unreadable, and the gaps would give them away.
const leastSecret = 4

// Redact replaces the given values by *** in groups, annotations, the summary and outputs
// from now on. It also replaces their usual encodings (JSON, also within JSON; base64 in
// both alphabets and at every alignment; URL; HTML), and each line of a value of several
// lines.
//
// White space around a value is not part of it. Values shorter than 4 bytes are
// ignored, and so are "true", "false" and "null".
//
// Unlike [Runtime.Mask], it does not tell the runner.
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

// Redacted returns text with *** for every value given to [Runtime.Redact]. Use it for text
// that leaves the step in another way, such as in a record or a comment. Use it before text is
// escaped for Markdown: a secret is not recognised after that.
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

// Mask redacts a credential, and has the runner mask it in this and all later steps of the
// job. It is for credentials that later steps could print: the runner keeps each masked value
// for the rest of the job.
//
// The runner reads single lines, so each line of the credential is masked. Outside of GitHub
// Actions (GITHUB_ACTIONS is not "true"), no command is printed: nobody would read it, and it
// would show the credential.
func (r *Runtime) Mask(secret string) {
	r.Redact(secret)
	if r.env["GITHUB_ACTIONS"] != "true" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range lines(secret) {
		if hideable(line) {
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

// jsonForms returns how secret looks in a JSON string, with and without the escaping of <, >
// and & that Go and Terraform do, and in a JSON string within JSON.
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

// base64Forms returns the base64 text of secret, and what stays the same of that text if
// secret is a part of something longer. Base64 turns 3 bytes into 4 characters, so there are
// three such forms, one for each place where secret may begin in the 3 bytes.
func base64Forms(secret string) []string {
	var found []string
	// Without padding, so that a text with padding is found, too.
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		found = append(found, encoding.EncodeToString([]byte(secret)))
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), secret...))
			first := (8*before + 5) / 6           // the first character that holds no bit of what is before
			end := 8 * (before + len(secret)) / 6 // after the last one that holds no bit of what follows
			found = append(found, text[first:end])
		}
	}
	return found
}
