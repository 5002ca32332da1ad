package git

import (
	"context"
	"slices"
	"strings"
)

// Fetch adds a commit to a repository from the remote that is named origin, without its
// history and without a ref to it. environ is the job's environment: it says how to reach
// the remote, and may hold credentials.
func Fetch(ctx context.Context, folder, commit string, environ []string) error {
	_, err := command{
		folder: folder, machine: append([]string{}, environ...),
		args: []string{"fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "origin", commit},
	}.run(ctx)
	return err
}

// WithHeader is an environment in which Git sends a header to the server of a URL, and to
// no other. It takes the place of other configuration that the environment has. Arguments
// would be for all to see.
// https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpextraHeader
func WithHeader(environ []string, server, header string) []string {
	return append(slices.Clone(environ),
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=http."+strings.TrimSuffix(server, "/")+"/.extraheader",
		"GIT_CONFIG_VALUE_0="+header,
	)
}

// CheckOut checks a commit of the repository in from out into an empty folder. It runs no
// filter and no hook, so each file is what Git has of it.
func CheckOut(ctx context.Context, from, commit, into string) error {
	for _, args := range [][]string{
		{"init", "--quiet", "--template="},
		{
			"fetch", "--quiet", "--depth=1", "--no-tags",
			// A process of its own, with its own options; the workspace may be another user's.
			"--upload-pack=git -c safe.directory='*' -c uploadpack.allowAnySHA1InWant=true upload-pack",
			from, commit,
		},
		{"checkout", "--quiet", "--detach", commit},
	} {
		if _, err := (command{folder: into, args: args}).run(ctx); err != nil {
			return err
		}
	}
	return nil
}
