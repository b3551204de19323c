// Package pickle reads the files that torch.save writes (.bin, .pt, .pth, .ckpt). It says which
// tensors they have, and where the numbers of each tensor are in the file. Nothing is unpacked, and
// no numbers are read.
//
// A pickle is a program for a small stack machine, which can name and call any function of
// Python. This package is such a machine that knows only the names that a dictionary of tensors
// needs (names.go) and that never calls anything. A file with any other name in it is refused
// before one of its tensors can be used.
//
// torch has written two formats. Since version 1.6 a file is a zip archive of data.pkl and one
// uncompressed entry for each storage (zip.go). Before, it was five pickles and then the storages
// (legacy.go). The reference is torch 2.15: torch/serialization.py, torch/_utils.py and
// torch/_weights_only_unpickler.py.
package pickle
