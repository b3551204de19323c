package cli

import (
	"os"
	"path/filepath"
)

func newMemo() (memo, error) {
	folder, err := os.UserCacheDir()
	return memo{filepath.Join(folder, "imprompt", "memo.json")}, err
}
