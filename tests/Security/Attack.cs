using System.Globalization;
using Supervisor.EndToEnd;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>
/// A program of <c>attacks/</c>, run as another user. Its exit status says what came of it; any other than these two means
/// that the attack itself does not work, which fails a test too.
/// </summary>
internal sealed class Attack(TemporaryDirectory directory, ITestOutputHelper output)
{
    private const int Succeeded = 0;
    private const int Failed = 10;

    /// <summary>The path of a program as it was built, for root.</summary>
    public static string Program(string name)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "attacks", name);
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is not there; run: make build");
    }

    /// <summary>Copies a program to where every user may execute it. Its path.</summary>
    public string Copy(string name)
    {
        var path = directory[name];
        if (!File.Exists(path))
        {
            File.Copy(Program(name), path);
        }

        return path;
    }

    /// <summary>Makes a folder that belongs to a user. Its path.</summary>
    public string FolderOf(string user, string name)
    {
        var path = Directory.CreateDirectory(directory[name]).FullName;
        var result = RunningProgram.RunAsync(Needs.Program("chown", "coreutils"), [user, path]).GetAwaiter().GetResult();
        Assert.True(result.ExitCode == 0, result.Error);
        return path;
    }

    /// <summary>The command line that runs a program as a user, by name or number, with no other group.</summary>
    public string[] CommandAs(string user, string name, params string[] arguments) =>
        [Needs.Program("setpriv", "util-linux"), $"--reuid={user}", $"--regid={Group(user)}", "--clear-groups", Copy(name), .. arguments];

    /// <summary>Starts an attack and waits for nothing.</summary>
    public RunningProgram Start(string user, string name, params string[] arguments)
    {
        var command = CommandAs(user, name, arguments);
        return RunningProgram.Start(command[0], command[1..]);
    }

    /// <summary>Runs an attack to its end: it must work, and must not succeed.</summary>
    public async Task AssertFailsAsync(string user, string name, params string[] arguments)
    {
        await using var program = Start(user, name, arguments);
        await AssertFailsAsync(program, name);
    }

    /// <summary>Waits for the end of an attack: it must work, and must not succeed.</summary>
    public async Task AssertFailsAsync(RunningProgram program, string name, TimeSpan? within = null)
    {
        var status = await program.WaitAsync(within);
        var text = string.Join('\n', program.Output.Lines.Concat(program.Error.Lines));
        output.WriteLine($"{name}: {text}");
        Assert.True(status != Succeeded, $"the attack {name} succeeded: {text}");
        Assert.True(status == Failed, $"the attack {name} does not work, exit status {status}: {text}");
    }

    /// <summary>Runs an attack as a child of a possessed worker.</summary>
    public Task AssertFailsInWorkerAsync(string user, string orders, string name, params string[] arguments) =>
        AssertFailsAsync(user, "in-worker", [orders, Copy(name), .. arguments]);

    // The primary group: who has another one may not look into processes of his own user (ptrace(2), access mode checking).
    private static string Group(string user) => uint.TryParse(user, CultureInfo.InvariantCulture, out _)
        ? user
        : File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Single(fields => fields[0] == user)[3];
}
