package references

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// Signs are the blocks that tell a root module from a module that others call.
type Signs struct {
	Backend  bool // terraform { backend "…" {} } or terraform { cloud {} }
	Provider bool // provider "…" {}
}

// Signs finds them in a file. Comments and texts are told apart from blocks. If the file can't be
// parsed, each line that looks like the beginning of such a block counts: somebody will repair the
// file, and its folder stays a root module meanwhile.
func (f *File) Signs() (s Signs) {
	if !mayHaveSigns(f.Content) {
		return s // most files, and this is much faster than parsing
	}
	if f.isJSON() {
		return f.jsonSigns()
	}
	body, valid := f.body()
	if !valid {
		return Signs{Backend: looksLikeBackend.Match(f.Content), Provider: looksLikeProvider.Match(f.Content)}
	}
	for _, block := range body.Blocks {
		switch block.Type {
		case "provider":
			s.Provider = true
		case "terraform":
			for _, inner := range block.Body.Blocks {
				s.Backend = s.Backend || inner.Type == "backend" || inner.Type == "cloud"
			}
		}
	}
	return s
}

var (
	looksLikeBackend  = regexp.MustCompile(`(?m)^\s*(backend\s+"|cloud\s*\{)|"(backend|cloud)"\s*:`)
	looksLikeProvider = regexp.MustCompile(`(?m)^\s*provider\s+"|"provider"\s*:`)
)

// jsonSigns reads {"terraform": {"backend": {"…": {}}}, "provider": {"…": {}}}, where each object
// may be a list of objects.
func (f *File) jsonSigns() (s Signs) {
	file, valid := f.objects()
	if !valid {
		return Signs{Backend: looksLikeBackend.Match(f.Content), Provider: looksLikeProvider.Match(f.Content)}
	}
	has := func(object map[string]any, key string) bool {
		for _, one := range objects(object[key]) {
			if len(one) > 0 {
				return true
			}
		}
		return false
	}
	for _, root := range file {
		s.Provider = s.Provider || has(root, "provider")
		for _, terraform := range objects(root["terraform"]) {
			_, cloud := terraform["cloud"]
			s.Backend = s.Backend || cloud || has(terraform, "backend")
		}
	}
	return s
}

// mayHaveSigns tells whether one of the words is followed by what follows it in the head of a
// block: a label or a brace, after blanks and comments; or by a quote, in JSON. In
// `provider = aws.west` and `required_providers` it is not.
func mayHaveSigns(content []byte) bool {
	for _, word := range [][]byte{[]byte("backend"), []byte("cloud"), []byte("provider")} {
		for rest := content; ; {
			at := bytes.Index(rest, word)
			if at < 0 {
				break
			}
			rest = rest[at+len(word):]
			after := bytes.TrimLeft(rest, " \t")
			if len(after) > 0 && (after[0] == '"' || after[0] == '{' || after[0] == '/' || len(after) < len(rest) && isLetter(after[0])) {
				return true
			}
		}
	}
	return false
}

func isLetter(b byte) bool {
	return b == '_' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// localSource matches what may be the source of a local module, up to what is not constant. It may
// be in a comment or in a text.
var localSource = regexp.MustCompile(`\bsource` + between + `*=(?:` + between + `|\()*"(\.\.?/[^"$]*)`)

// between is a blank or a comment.
const between = `(?:\s|(?s:/\*.*?\*/)|(?:#|//)[^\n]*\n)`

// MayCall are the sources of local modules that the file may call: all that [File.Calls] finds,
// and others, without parsing. One that is not constant ends with its last slash.
func (f *File) MayCall() (sources []string) {
	if !bytes.Contains(f.Content, []byte("module")) {
		return nil
	}
	escaped := slices.ContainsFunc([]string{"\\", "$$", "%{"}, func(s string) bool { return bytes.Contains(f.Content, []byte(s)) })
	if f.isJSON() || escaped {
		calls, _ := f.Calls()
		for _, c := range calls {
			sources = append(sources, c.Source)
		}
		return sources
	}
	for _, found := range localSource.FindAllSubmatchIndex(f.Content, -1) {
		text := string(f.Content[found[2]:found[3]])
		if found[3] < len(f.Content) && f.Content[found[3]] == '$' {
			text = text[:strings.LastIndexByte(text, '/')+1]
		}
		sources = append(sources, text)
	}
	return sources
}
