using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>A name service that never answers for one user: an NSS module of the C library in the daemon's mount namespace.</summary>
public class NameServiceTests
{
    private const string Module = """
        #include <errno.h>
        #include <nss.h>
        #include <pwd.h>
        #include <string.h>
        #include <unistd.h>

        enum nss_status _nss_hang_getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t length, int *error)
        {
            (void)entry, (void)buffer, (void)length;
            while (strcmp(name, "slow") == 0)
                pause();
            *error = ENOENT;
            return NSS_STATUS_NOTFOUND;
        }
        """;

    [Fact]
    public async Task Other_services_are_supervised_and_rolled_out()
    {
        using var directory = new TemporaryDirectory();
        var source = directory.Write("hang.c", Module);
        var built = await RunningProgram.RunAsync(
            Needs.Program("gcc", "gcc"),
            ["-shared", "-fPIC", "-o", directory["libnss_hang.so.2"], source]);
        Assert.True(built.ExitCode == 0, built.Error);
        var switches = directory.Write("nsswitch.conf", "passwd: files hang\ngroup: files\n");
        await DaemonUnderTest.WithAsync(
            """
            [service.w]
            command = ["/bin/sleep", "1000"]
            ready = "started"
            [service.slow]
            command = ["/bin/sleep", "1000"]
            ready = "started"
            user = "slow"
            """,
            async daemon =>
            {
                await daemon.WaitUntilReadyAsync("w");
                Assert.Contains(
                    "resolving user \"slow\"",
                    (await daemon.ListenctlAsync("status", "slow")).Output,
                    StringComparison.Ordinal);

                // A crash is repaired, and a roll-out succeeds, without an answer for this user.
                var mark = daemon.Log.Count;
                RunningProgram.Kill((await daemon.ReadyAsync("w")).Single(), Signals.Kill);
                await daemon.WaitUntilReadyAsync("w", from: mark);
                var restarted = await daemon.ListenctlAsync("restart", "w", "--wait");
                Assert.True(restarted.ExitCode == 0, restarted.Error);

                var refused = await daemon.ListenctlAsync("start", "slow", "--wait");
                Assert.Equal(1, refused.ExitCode);
                Assert.Contains("user \"slow\": the name service did not answer within 30s", refused.Error, StringComparison.Ordinal);
            },
            new DaemonOptions
            {
                Wrapper =
                [
                    Needs.Program("unshare", "util-linux"), "-m",
                    "/bin/sh", "-c", "mount --bind \"$0\" /etc/nsswitch.conf; exec \"$@\"", switches,
                ],
                Environment = new Dictionary<string, string?> { ["LD_LIBRARY_PATH"] = directory.Path },
            });
    }
}
