package journal

import "os"

// lock does nothing: an open file cannot be opened by another process here.
func lock(*os.File) error { return nil }
