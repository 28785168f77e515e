package digest

// foldWorks tells whether fold may be called here.
func foldWorks() bool { return canFold }
