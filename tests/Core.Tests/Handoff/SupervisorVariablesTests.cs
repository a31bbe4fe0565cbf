using Supervisor.Core.Protocols;

namespace Supervisor.Core.Tests.Handoff;

public class SupervisorVariablesTests
{
    [Theory]
    [InlineData("LISTEN_PIDFDID", true, true)]
    [InlineData("NOTIFY_SOCKET", true, true)]
    [InlineData("NOTIFY_ADMIN", false, true)]
    [InlineData("RUNTIME_DIRECTORY", false, true)]
    [InlineData("SERVER_STARTER_PORT", false, true)]
    [InlineData("NGINX", false, true)]
    [InlineData("NGINX_HOME", false, false)]
    [InlineData("MAINPID", false, true)]
    [InlineData("PATH", false, false)]
    [InlineData("XDG_RUNTIME_DIR", false, false)]
    [InlineData("listen_fds", false, false)]
    public void A_variable_is_for_the_daemon_or_inherited(string name, bool isOwn, bool isForDaemon) =>
        Assert.Equal((isOwn, isForDaemon), (SupervisorVariables.IsOwn(name), SupervisorVariables.IsForDaemon(name)));
}
