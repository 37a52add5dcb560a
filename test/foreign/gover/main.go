// Checks a log folder with golang.org/x/mod alone: note signature, tree hash from tiles, inclusion
// of every entry, a .tlog-proof file, and a consistency proof.
//
//	gover LOGDIR VKEY TLOG_PROOF OLD_SIZE OLD_ROOT CONSISTENCY_HASH...
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) Height() int                          { return 8 }
func (f folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

// c2sp.org/tlog-tiles leaves out the tile height, which x/mod writes into the path.
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func main() {
	dir, vkey, proofFile := os.Args[1], os.Args[2], os.Args[3]
	tree := openCheckpoint(read(filepath.Join(dir, "checkpoint")), vkey)
	reader := tlog.TileHashReader(tree, folder(dir))
	root, err := tlog.TreeHash(tree.N, reader)
	check(err)
	if root != tree.Hash {
		check(fmt.Errorf("tiles hash to %v, checkpoint says %v", root, tree.Hash))
	}
	for index := int64(0); index < tree.N; index++ {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		check(err)
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry(dir, tree.N, index))))
	}
	checkProofFile(dir, vkey, string(read(proofFile)))
	oldSize, err := strconv.ParseInt(os.Args[4], 10, 64)
	check(err)
	check(tlog.CheckTree(hashes(os.Args[6:]), tree.N, tree.Hash, oldSize, hashes(os.Args[5:6])[0]))
	fmt.Println("ok", tree.N)
}

func openCheckpoint(text []byte, vkey string) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	opened, err := note.Open(text, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	return tlog.Tree{N: size, Hash: hashes(lines[2:3])[0]}
}

func checkProofFile(dir, vkey, text string) {
	head, checkpoint, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	check(err)
	tree := openCheckpoint([]byte(checkpoint), vkey)
	leaf := tlog.RecordHash(entry(dir, tree.N, index))
	check(tlog.CheckRecord(tlog.RecordProof(hashes(lines[2:])), tree.N, tree.Hash, index, leaf))
}

func entry(dir string, size, index int64) []byte {
	width := size - index/256*256
	name := fmt.Sprintf("%03d", index/256)
	if width < 256 {
		name += fmt.Sprintf(".p/%d", width)
	}
	data := read(filepath.Join(dir, "tile/entries", name))
	for skip := index % 256; skip > 0; skip-- {
		data = data[2+binary.BigEndian.Uint16(data):]
	}
	return data[2 : 2+binary.BigEndian.Uint16(data)]
}

func hashes(texts []string) []tlog.Hash {
	var all []tlog.Hash
	for _, text := range texts {
		hash, err := tlog.ParseHash(text)
		check(err)
		all = append(all, hash)
	}
	return all
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	check(err)
	return data
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
