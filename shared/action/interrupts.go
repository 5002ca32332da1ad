package action

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// interrupts returns a context that the first SIGINT or SIGTERM cancels, and a channel that receives
// every later one. When the context is cancelled, Terraform is asked to stop, and is waited for
// however long it takes to write its state. A signal on the channel makes Terraform stop at once.
// On cancel, GitHub's runner sends SIGINT, SIGTERM 7.5 s later, and kills 2.5 s after that.
func interrupts(parent context.Context, log io.Writer) (context.Context, <-chan os.Signal, func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	stronger := make(chan os.Signal, 2)
	done := make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for first := true; ; first = false {
			select {
			case <-done:
				return
			case s := <-signals:
				if first {
					fmt.Fprintf(log, "%s: stopping, and waiting for Terraform to finish what it began and to write its state\n", s)
					cancel()
					continue
				}
				fmt.Fprintf(log, "%s again: telling Terraform to stop at once\n", s)
				select {
				case stronger <- s:
				default:
				}
			}
		}
	}()
	return ctx, stronger, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
