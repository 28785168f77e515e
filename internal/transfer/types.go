package transfer

import (
	"path"
	"strings"
)

// contentTypes are those of names, by what is after the last dot. The list is
// our own and not this machine's: an upload that is gone on with on another
// machine must have the same.
var contentTypes = map[string]string{
	"7z": "application/x-7z-compressed", "aac": "audio/aac", "apk": "application/vnd.android.package-archive", "avi": "video/x-msvideo",
	"avif": "image/avif", "bmp": "image/bmp", "bz2": "application/x-bzip2", "css": "text/css", "csv": "text/csv", "doc": "application/msword",
	"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "epub": "application/epub+zip", "flac": "audio/flac",
	"gif": "image/gif", "gz": "application/gzip", "htm": "text/html", "html": "text/html", "ico": "image/vnd.microsoft.icon",
	"ics": "text/calendar", "jar": "application/java-archive", "jpeg": "image/jpeg", "jpg": "image/jpeg", "js": "text/javascript",
	"json": "application/json", "jsonl": "application/jsonl", "log": "text/plain", "m3u8": "application/vnd.apple.mpegurl", "m4a": "audio/mp4",
	"md": "text/markdown", "mjs": "text/javascript", "mkv": "video/x-matroska", "mov": "video/quicktime", "mp3": "audio/mpeg",
	"mp4": "video/mp4", "mpeg": "video/mpeg", "oga": "audio/ogg", "ogg": "audio/ogg", "ogv": "video/ogg", "otf": "font/otf",
	"pdf": "application/pdf", "png": "image/png", "ppt": "application/vnd.ms-powerpoint",
	"pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation", "rar": "application/vnd.rar",
	"rtf": "application/rtf", "sh": "application/x-sh", "sql": "application/sql", "svg": "image/svg+xml", "tar": "application/x-tar",
	"tgz": "application/gzip", "tif": "image/tiff", "tiff": "image/tiff", "ts": "video/mp2t", "ttf": "font/ttf", "txt": "text/plain",
	"wasm": "application/wasm", "wav": "audio/wav", "webm": "video/webm", "webp": "image/webp", "woff": "font/woff", "woff2": "font/woff2",
	"xls": "application/vnd.ms-excel", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xml": "application/xml",
	"xz": "application/x-xz", "yaml": "application/yaml", "yml": "application/yaml", "zip": "application/zip", "zst": "application/zstd",
}

// contentType follows from a key's end; "" leaves it to the server.
func contentType(key string) string {
	return contentTypes[strings.ToLower(strings.TrimPrefix(path.Ext(key), "."))]
}
