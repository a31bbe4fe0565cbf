using Supervisor.Core.Services;

namespace Supervisor.Core.Tests.Services;

public class ScriptArgumentTests
{
    [Theory]
    [InlineData("python3 /srv/current/app.py", 1)]
    [InlineData("python3 -u current/app.py --port 80", 2)]
    [InlineData("java -Xmx1g -jar /srv/current/app.jar", 3)]
    [InlineData("dotnet ./App.dll", 1)]
    [InlineData("node --enable-source-maps /srv/current/server.js /srv/other.js", 2)]
    [InlineData("python3 app.py", 0)]
    [InlineData("python3 -m gunicorn app:app", 0)]
    [InlineData("server --cert /etc/letsencrypt/live/a/cert.pem", 0)]
    [InlineData("server --script=/srv/a.py", 0)]
    [InlineData("/srv/current/app.py", 0)]
    [InlineData("node /srv/current/bin/www", 1)]
    [InlineData("/usr/bin/python3.11 -W ignore /srv/current/venv/bin/gunicorn app:app", 3)]
    [InlineData("nice -n 5 /srv/current/run /srv/data", 3)]
    [InlineData("env MODE=/a/b X=1 /srv/current/run", 3)]
    [InlineData("timeout -s TERM 60 python3 /srv/current/run", 5)]
    [InlineData("nice /srv/venv/bin/python /srv/current/app.py", 2)]
    [InlineData("taskset -c 0-3 /srv/current/run", 3)]
    [InlineData("sh -c /srv/current/run", 0)]
    [InlineData("python3 -m app /srv/data", 0)]
    [InlineData("perl -e print /srv/data", 0)]
    [InlineData("server /srv/data/file", 0)]
    public void The_first_path_of_a_script_is_found(string command, int index) =>
        Assert.Equal(index, ScriptArgument.IndexOf(command.Split(' ')));
}
