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

// Cache has the inits of many root modules download each provider once. It is a
// folder for TF_PLUGIN_CACHE_DIR, of this process alone, unless the user has one of
// their own: then that is shared.
//
// Terraform does not guard its cache against other processes: an init that installs a
// provider unpacks it where the others look for it and run it.
// https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache
// So here
//
//   - an init whose dependency lock file names a provider that the cache does not have
//     runs alone among those that fill the cache, and only adds to it;
//   - those after it, with the same lock file, find all that they need, write nothing,
//     and wait for nobody;
//   - where the lock file has no checksum (h1:) of what is in the cache, Terraform would
//     install that provider again, over the one that is there. Such a root module is kept
//     away from the cache, and so is one without a lock file, for which Terraform does not
//     trust the cache.
//
// A nil one shares nothing.
type Cache struct {
	dir   string
	turn  chan struct{}     // held to fill the cache, and to look what is in it
	sums  map[string]string // by folder of a provider in the cache; guarded by turn
	mu    sync.Mutex
	known map[providerSet]contents // but for those that are missing
}

// providerSet are the providers of one dependency lock file in one cache.
type providerSet struct {
	cache string
	lock  [sha256.Size]byte
}

// contents says how what a cache holds fits a dependency lock file.
type contents int

const (
	missing contents = iota // not all of it is there
	ready
	unfit // some of it is not what the lock file names
)

// New makes the folder in tempDir; Close it after use.
func New(tempDir string) (*Cache, error) {
	dir, err := os.MkdirTemp(tempDir, "gitops-plugins-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the providers that all targets share: %w", err)
	}
	return &Cache{dir: dir, turn: make(chan struct{}, 1), sums: map[string]string{}, known: map[providerSet]contents{}}, nil
}

// Close removes the folder. Nothing that was installed with it can run after that.
func (c *Cache) Close() error { return os.RemoveAll(c.dir) }

// Join returns a CLI for one init, or for a command with an init in it, of c's root
// module as it is now; leave is to be called once that has ended. private is a folder,
// made when needed, for the providers of a root module that has to be kept away from the
// user's own cache; it must last as long as the root module's data. Join waits for its
// turn; its error is then that of ctx.
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

// takeTurn waits until a root module may use the cache. It returns at once where all
// that its lock file names is there.
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

// look compares a cache with a lock file as Terraform does. What is in the cache is read
// once: nothing here changes it.
func (c *Cache) look(cache string, lock []byte, mayBreak bool) (contents, error) {
	providers := lockedProviders(lock)
	if providers == nil {
		if mayBreak {
			return missing, nil // which ones it needs is unknown
		}
		return unfit, nil
	}
	state := ready
	for _, p := range providers {
		dir := filepath.Join(cache, p.folder())
		// The folder of a provider from a mirror of folders is a link.
		real, err := filepath.EvalSymlinks(dir)
		if errors.Is(err, fs.ErrNotExist) {
			state = missing
			continue
		}
		if err != nil {
			return missing, fmt.Errorf("look into the plugin cache: %w", err)
		}
		if mayBreak {
			continue // Terraform takes it as it is
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
