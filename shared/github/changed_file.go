package github

import (
	"context"
	"fmt"

	gogithub "github.com/google/go-github/v84/github"
)

// maxListedFiles is how many files of a pull request GitHub lists.
// https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
const maxListedFiles = 3000

// ChangedFile is a file that a pull request changes.
type ChangedFile struct {
	Path     string
	Previous string // its path before, if the file was renamed
	Status   string // such as "added", "removed", "modified" or "renamed"
}

// PullRequestFiles lists the files that a pull request changes, with one request for each 100.
// GitHub lists no more than 3,000 files: so many are an error. It needs `pull-requests: read`.
func (c *Client) PullRequestFiles(ctx context.Context, repo string, number int) ([]ChangedFile, error) {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return nil, fmt.Errorf("list the files of pull request #%d: %w", number, err)
	}
	doing := fmt.Sprintf("list the files of pull request #%d of %s", number, repo)
	options := &gogithub.ListOptions{PerPage: 100}
	var files []ChangedFile
	for {
		page, resp, err := c.api.PullRequests.ListFiles(ctx, owner, name, number, options)
		if err != nil {
			return nil, c.explain(err, doing, "pull-requests: read")
		}
		for _, f := range page {
			files = append(files, ChangedFile{Path: f.GetFilename(), Previous: f.GetPreviousFilename(), Status: f.GetStatus()})
		}
		switch {
		case len(files) >= maxListedFiles:
			return nil, fmt.Errorf("%s: it changes %d files or more, and GitHub lists no more: split the pull request", doing, maxListedFiles)
		case resp.NextPage <= options.Page:
			return files, nil
		}
		options.Page = resp.NextPage
	}
}
