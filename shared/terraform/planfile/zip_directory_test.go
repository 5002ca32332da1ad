package planfile_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// Half a million entries take 200 MB once they are read, from a file of 25.
func TestEntriesOfAPlanfileAreCountedBeforeTheyAreRead(t *testing.T) {
	const entries = 500_000
	var many bytes.Buffer
	z := zip.NewWriter(&many)
	for i := range entries {
		if _, err := z.CreateRaw(&zip.FileHeader{Name: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	honest := many.Bytes()
	lie := func(count uint64) string {
		b := bytes.Clone(honest)
		at := bytes.LastIndex(b, []byte("PK\x06\x06"))
		binary.LittleEndian.PutUint64(b[at+24:], count)
		binary.LittleEndian.PutUint64(b[at+32:], count)
		return string(b)
	}
	// The end alone, which says that there are few: of 500,000 entries, 500,000 mod 65,536.
	short := bytes.Clone(honest[:bytes.LastIndex(honest, []byte("PK\x06\x06"))])
	begin := bytes.Index(short, []byte("PK\x01\x02"))
	end := append([]byte("PK\x05\x06"), make([]byte, 18)...)
	binary.LittleEndian.PutUint16(end[8:], entries%65536)
	binary.LittleEndian.PutUint16(end[10:], entries%65536)
	binary.LittleEndian.PutUint32(end[12:], uint32(len(short)-begin))
	binary.LittleEndian.PutUint32(end[16:], uint32(begin))
	for name, content := range map[string]string{
		"as many as it says":            string(honest),
		"more than it says":             lie(3),
		"none, as it says":              lie(0),
		"more than an end can say":      string(append(bytes.Clone(short), end...)),
		"a list that begins elsewhere":  "x" + string(honest),
		"more than there can be at all": lie(1 << 62),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "p")
			terraformtest.WriteFiles(t, filepath.Dir(path), map[string]string{"p": content})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := planfile.Open(path)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), "entries") {
				t.Errorf("error %v", err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
				t.Errorf("%d bytes were allocated", used)
			}
		})
	}
}
