package fakegithub

import (
	"net/http"
	"slices"
)

// maxListedFiles is how many files of a pull request GitHub lists.
const maxListedFiles = 3000

// File is a file that a pull request changes.
type File struct {
	Path     string
	Previous string // its path before, for a file that is renamed
	Status   string // default: "modified", or "renamed" if Previous is set
}

// ChangeFiles says which files a pull request changes: the server has no Git repository.
func (r *Repository) ChangeFiles(number int, files ...File) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	p := r.pull(number)
	if p == nil {
		r.server.report("fakegithub: %s has no pull request #%d that could change files", r.name, number)
		return
	}
	p.files = slices.Clone(files)
}

func (s *Server) listFiles(c call) answer {
	r, p := s.repository(c), s.askedPull(c)
	if p == nil {
		return failure(http.StatusNotFound, "Not Found")
	}
	files, header := page(c.Request, p.files[:min(len(p.files), maxListedFiles)])
	list := []object{}
	for _, f := range files {
		o, err := exampleOf("diff-entry-items")
		if err != nil {
			return failure(http.StatusInternalServerError, err.Error())
		}
		o["filename"], o["status"] = f.Path, "modified"
		o["blob_url"] = s.link(true, "/%s/blob/%s/%s", r.name, p.HeadSHA, f.Path)
		o["raw_url"] = s.link(true, "/%s/raw/%s/%s", r.name, p.HeadSHA, f.Path)
		o["contents_url"] = s.link(false, "/repos/%s/contents/%s?ref=%s", r.name, f.Path, p.HeadSHA)
		if f.Previous != "" {
			o["previous_filename"], o["status"] = f.Previous, "renamed"
		}
		if f.Status != "" {
			o["status"] = f.Status
		}
		list = append(list, o)
	}
	return answer{status: http.StatusOK, header: header, body: list}
}
