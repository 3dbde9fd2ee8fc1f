"""A Hugging Face Hub of one process: repositories of small files, in memory."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


def commit_of(files):
    joined = b"".join(name.encode() + data for name, data in sorted(files.items()))
    return hashlib.sha1(joined).hexdigest()


class Hub:
    """Serves `files` of one repository, `owner/name`, at `url`; `fault` spoils what it answers."""

    def __init__(self):
        self.files: dict[str, bytes] | None = None
        self.branches: dict[str, dict[str, bytes]] = {}
        self.fault = None
        self.asked: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_HEAD(self):
                hub.answer(self, body=False)

            def do_GET(self):
                hub.answer(self, body=True)

            def do_POST(self):
                hub.post(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()

    @property
    def commit(self):
        return commit_of(self.files or {})

    def answer(self, request, body):
        path = unquote(request.path.partition("?")[0])
        self.asked.append(f"{request.command} {path}")
        if isinstance(self.fault, int):
            code = {404: "RepoNotFound", 401: "GatedRepo"}.get(self.fault, "")
            return self.send(request, self.fault, b"{}", {"X-Error-Code": code})
        if path.startswith("/api/models/"):
            if self.files is None:
                return self.send(request, 404, b"{}", {"X-Error-Code": "RepoNotFound"})
            return self.send(request, 200, json.dumps({"id": "owner/name"}).encode(), {})
        parts = path.split("/resolve/")
        revision, _, name = parts[-1].partition("/")
        if len(parts) != 2 or parts[0] != "/owner/name" or self.files is None:
            return self.send(request, 404, b"", {"X-Error-Code": "RepoNotFound"})
        known = {**self.branches, "main": self.files}
        files = {**known, **{commit_of(each): each for each in known.values()}}.get(revision)
        if files is None:
            return self.send(request, 404, b"", {"X-Error-Code": "RevisionNotFound"})
        if name not in files:
            return self.send(request, 404, b"", {"X-Error-Code": "EntryNotFound"})
        data = files[name]
        headers = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": commit_of(files)}
        if self.fault == "half" and name.endswith(".h5"):
            headers["Content-Length"] = str(len(data))
            data = data[: len(data) // 2]
        if self.fault == "huge" and name.endswith(".h5"):
            headers["Content-Length"] = str(10**12)
        return self.send(request, 200, data if body else b"", headers, len(data))

    def post(self, request):
        data = request.rfile.read(int(request.headers["Content-Length"]))
        path = request.path.partition("?")[0]
        self.asked.append(f"POST {path}")
        reply = {"url": f"{self.url}/owner/name"}
        if path == "/api/repos/create":
            self.files = {} if self.files is None else self.files
        elif "/branch/" in path:
            self.branches.setdefault(path.rpartition("/")[2], dict(self.files))
        elif "/preupload/" in path:
            names = [entry["path"] for entry in json.loads(data)["files"]]
            reply = {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False}
                               for name in names]}  # fmt: skip
        elif "/commit/" in path:
            files = self.branches.get(path.rpartition("/")[2], self.files)
            for line in data.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    value = entry["value"]
                    files[value["path"]] = base64.b64decode(value["content"])
            url = f"{self.url}/owner/name/commit/{self.commit}"
            reply = {"success": True, "commitOid": self.commit, "commitUrl": url}
        self.send(request, 200, json.dumps(reply).encode(), {})

    def send(self, request, status, data, headers, length=None):
        request.send_response(status)
        headers.setdefault("Content-Length", str(len(data) if length is None else length))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(data)
        request.close_connection = True
