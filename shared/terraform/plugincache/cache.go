// Package plugincache has the inits of many root modules download each provider once, into
// a folder that all of them share ([Cache]), and keeps them from breaking it for each other.
package plugincache

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"golang.org/x/mod/sumdb/dirhash"
)

// Cache is a folder for TF_PLUGIN_CACHE_DIR, from which the inits of many root modules take
// providers. It belongs to this process alone. If the user has configured a plugin cache,
// that one is used instead.
//
// Terraform does not protect its cache from other processes: an init that installs a
// provider unpacks it into the folder from which others run it at the same time.
// https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache
// So here
//
//   - inits whose dependency lock file names a provider that the cache does not have run
//     one after the other, and only add to the cache;
//   - later inits with the same lock file find all that they need, write nothing, and do
//     not wait;
//   - if the lock file has no checksum (h1:) of a provider in the cache, Terraform would
//     install that provider again, over the one that is there. Such a root module does not
//     get the cache. Neither does one without a lock file, since Terraform does not trust
//     the cache without one.
//
// A nil Cache shares nothing.
type Cache struct {
	dir   string
	turn  chan struct{}     // who fills the cache, or looks into it, holds this
	sums  map[string]string // checksums by provider folder in the cache; guarded by turn
	mu    sync.Mutex
	known map[providerSet]contents // never missing: that may change
}

// providerSet names the providers of one dependency lock file, and a cache.
type providerSet struct {
	cache string
	lock  [sha256.Size]byte
}

// contents says how a cache fits a dependency lock file.
type contents int

const (
	missing contents = iota // a provider is not there
	ready
	unfit // a provider is there with another checksum than the lock file has
)

// New makes a cache in a new folder in tempDir. Close it after use.
func New(tempDir string) (*Cache, error) {
	dir, err := os.MkdirTemp(tempDir, "gitops-plugins-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the providers that all targets share: %w", err)
	}
	return &Cache{dir: dir, turn: make(chan struct{}, 1), sums: map[string]string{}, known: map[providerSet]contents{}}, nil
}

// Close removes the folder. Providers that were installed from it can't run after that.
func (c *Cache) Close() error { return os.RemoveAll(c.dir) }

// Join returns a copy of cli that uses the cache, for one init or for a command that begins
// with an init. Call leave when that has ended. private is the path of a folder for the
// providers of a root module that must not use the user's own cache. It is made when needed,
// and must last as long as the root module's data folder. Join may wait for other inits
// until ctx ends.
func (c *Cache) Join(ctx context.Context, cli *terraform.CLI, private string) (_ *terraform.CLI, leave func(), err error) {
	if c == nil {
		return cli, func() {}, nil
	}
	lock, err := os.ReadFile(filepath.Join(cli.Dir, ".terraform.lock.hcl"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read the dependency lock file: %w", err)
	}
	own := userCache(cli)
	cache := own.dir
	if cache == "" {
		if len(lock) == 0 {
			return cli, func() {}, nil
		}
		cache = c.dir
	}
	state, leave := unfit, func() {}
	if len(lock) > 0 || own.mayBreak {
		if state, leave, err = c.takeTurn(ctx, cache, lock, own.mayBreak); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case state != unfit:
	case own.dir == "":
		return cli, leave, nil
	default:
		cache = private
		if err := os.MkdirAll(private, 0o700); err != nil {
			return nil, nil, fmt.Errorf("make a folder for providers: %w", err)
		}
	}
	joined := *cli
	joined.Env = append(slices.Clone(cli.Env), pluginCacheVariable+"="+cache)
	return &joined, leave, nil
}

// takeTurn waits until a root module may use the cache. It returns at once if the cache has
// all that the lock file names.
func (c *Cache) takeTurn(ctx context.Context, cache string, lock []byte, mayBreak bool) (contents, func(), error) {
	set := providerSet{cache, sha256.Sum256(lock)}
	c.mu.Lock()
	state, ok := c.known[set]
	c.mu.Unlock()
	if ok {
		return state, func() {}, nil
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return missing, nil, fmt.Errorf("wait for another init to fill the plugin cache: %w", context.Cause(ctx))
	}
	release := func() { <-c.turn }
	state, err := c.look(cache, lock, mayBreak)
	if err != nil {
		release()
		return missing, nil, err
	}
	if state == missing {
		return state, sync.OnceFunc(release), nil
	}
	release()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[set] = state
	return state, func() {}, nil
}

// look compares a cache with a lock file as Terraform does. Each provider in the cache is
// read once, since nothing changes it.
func (c *Cache) look(cache string, lock []byte, mayBreak bool) (contents, error) {
	providers := lockedProviders(lock)
	if providers == nil {
		if mayBreak {
			return missing, nil // nobody knows which ones it needs
		}
		return unfit, nil
	}
	state := ready
	for _, p := range providers {
		dir := filepath.Join(cache, p.folder())
		// For a provider from a filesystem mirror of unpacked folders, dir is a link.
		real, err := filepath.EvalSymlinks(dir)
		if errors.Is(err, fs.ErrNotExist) {
			state = missing
			continue
		}
		if err != nil {
			return missing, fmt.Errorf("look into the plugin cache: %w", err)
		}
		if mayBreak {
			continue // Terraform does not compare it
		}
		if c.sums[dir] == "" {
			if c.sums[dir], err = dirhash.HashDir(real, "", dirhash.Hash1); err != nil {
				return missing, fmt.Errorf("look into the plugin cache: %w", err)
			}
		}
		if !slices.Contains(p.hashes, c.sums[dir]) {
			return unfit, nil
		}
	}
	return state, nil
}

const pluginCacheVariable = "TF_PLUGIN_CACHE_DIR"
