package git

import (
	"bytes"
	"context"
	"slices"
	"strings"
)

// Modified are the files in folder that differ from what Git's index has of them, relative
// to folder. Filters such as that of Git LFS are undone before: they are programs that the
// machine's configuration names, and environ says where that is.
func Modified(ctx context.Context, folder string, environ []string) ([]string, error) {
	out, err := command{
		folder: folder, machine: configuration(environ),
		args: []string{"diff", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "--no-renames", "--name-only", "-z", "--relative"},
	}.run(ctx)
	return names(out), err
}

// Attribute is the value that an attribute has for a file.
// https://git-scm.com/docs/gitattributes
type Attribute struct{ File, Name, Value string }

// Attributes are those of the given names that are set to something for one of the files,
// relative to folder.
func Attributes(ctx context.Context, folder string, files, attributes, environ []string) (set []Attribute, err error) {
	out, err := command{
		folder: folder, machine: configuration(environ),
		args: slices.Concat([]string{"check-attr", "-z", "--stdin"}, attributes), input: []byte(strings.Join(files, "\x00") + "\x00"),
	}.run(ctx)
	fields := strings.Split(string(out), "\x00")
	for i := 0; i+2 < len(fields); i += 3 {
		if value := fields[i+2]; value != "unspecified" && value != "unset" {
			set = append(set, Attribute{fields[i], fields[i+1], value})
		}
	}
	return set, err
}

// names are those of a list that -z ends with NUL.
func names(list []byte) (all []string) {
	for name := range bytes.SplitSeq(list, []byte{0}) {
		if len(name) > 0 {
			all = append(all, string(name))
		}
	}
	return all
}
