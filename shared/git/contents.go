package git

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Contents reads what Git has of objects, by their IDs. In a partial clone Git fetches those that it
// does not have. An object that it can't get is left out, or is an error.
func Contents(ctx context.Context, folder string, ids []string) (map[string][]byte, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	out, err := command{
		folder: folder, args: []string{"cat-file", "--batch"}, input: []byte(strings.Join(ids, "\n") + "\n"),
	}.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("read files that are not in the workspace: %w", err)
	}
	// ID TYPE SIZE<newline>CONTENT<newline>, or ID missing<newline>
	// https://git-scm.com/docs/git-cat-file#_batch_output
	all := make(map[string][]byte, len(ids))
	for len(out) > 0 {
		head, rest, _ := bytes.Cut(out, []byte("\n"))
		fields := strings.Fields(string(head))
		if len(fields) != 3 {
			out = rest
			continue
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil || size > len(rest) {
			return nil, fmt.Errorf("read files that are not in the workspace: git cat-file says %q", head)
		}
		all[fields[0]], out = rest[:size], bytes.TrimPrefix(rest[size:], []byte("\n"))
	}
	return all, nil
}
