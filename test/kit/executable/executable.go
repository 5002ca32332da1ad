// Package executable writes programs for tests to run.
package executable

import (
	"os"
	"syscall"
)

// Write writes a program that can be run at once. A process that another goroutine starts meanwhile
// would hold the file open for a moment, and what is open for writing can't be run: "text file busy",
// https://go.dev/issue/22315. So no process starts until the file is closed.
func Write(path, content string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, []byte(content), 0o755)
}

// Settle waits until the processes that are being started have started. It is for programs that something
// else has just written, and that a test runs soon: a started process closes them at once.
func Settle() {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
}
