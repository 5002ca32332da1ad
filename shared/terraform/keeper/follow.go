package keeper

import (
	"io"
	"os"
	"time"
)

// followInterval is how long a line may lie in the log file before it is read
// while Terraform runs. The end of the process is noticed at once.
const followInterval = 20 * time.Millisecond

// Follow copies what is appended to f until the process has exited, and then the rest. It
// does not wait for output of other processes that go on, such as one that a local-exec
// left in the background.
func Follow(f *os.File, exited <-chan struct{}, w io.Writer) error {
	buf := make([]byte, 64<<10)
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	var read int64
	for {
		n, err := f.Read(buf)
		read += int64(n)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
			continue
		}
		if err != nil && err != io.EOF {
			return err
		}
		select {
		case <-tick.C:
		case <-exited:
			end, err := f.Stat()
			if err != nil {
				return err
			}
			_, err = io.CopyBuffer(w, io.LimitReader(f, end.Size()-read), buf)
			return err
		}
	}
}
