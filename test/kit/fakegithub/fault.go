package fakegithub

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault makes requests fail or slow. Its answers are not checked against GitHub's description.
type Fault struct {
	Method string // of the requests it strikes; empty: any
	Path   string // a part of their path; empty: any
	Writes bool   // only requests that change something
	Skip   int    // how many such requests pass before it strikes
	Times  int    // how many it strikes; 0: one

	Call  func()        // called first: to cancel whoever asks, or for what others do meanwhile
	Delay time.Duration // how long it takes before anything else happens
	Pass  bool          // then it is served as if nothing were wrong
	Done  bool          // or carried out, but its answer lost

	Status  int // what is answered instead; 0: the connection is cut
	Header  http.Header
	Message string

	documentation string
	passed        int
	struck        int
}

func (f *Fault) answer() answer {
	a := failure(f.Status, f.Message)
	a.header = f.Header
	if f.documentation != "" {
		a.body.(object)["documentation_url"] = f.documentation
	}
	return a
}

// Fail adds a fault. A request gets the first fault that matches it.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Times = max(f.Times, 1)
	s.faults = append(s.faults, &f)
}

// fault is the fault for a request, or nil.
func (s *Server) fault(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.struck == f.Times || f.Method != "" && f.Method != r.Method || !strings.Contains(r.URL.Path, f.Path) ||
			f.Writes && !(Request{Method: r.Method, Path: r.URL.Path}).Write() {
			continue
		}
		if f.passed < f.Skip {
			f.passed++
			continue
		}
		f.struck++
		return f
	}
	return nil
}

// PrimaryLimit is the answer to a token whose hourly requests are used up.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
func PrimaryLimit(reset time.Time) Fault {
	return Fault{
		Status: http.StatusForbidden,
		Header: http.Header{
			"X-Ratelimit-Remaining": {"0"},
			"X-Ratelimit-Reset":     {strconv.FormatInt(reset.Unix(), 10)},
		},
		Message: "API rate limit exceeded for installation ID 1.",
	}
}

// SecondaryLimit is the answer to too many requests at once. With a wait of 0 it has no
// Retry-After, as sometimes from GitHub.
func SecondaryLimit(wait time.Duration) Fault {
	f := Fault{
		Status:        http.StatusForbidden,
		Header:        http.Header{},
		Message:       "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
		documentation: "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits",
	}
	if wait > 0 {
		f.Header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	}
	return f
}

// ClearFaults removes the faults that no request has got yet.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}
