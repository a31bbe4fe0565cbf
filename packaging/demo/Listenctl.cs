using System.Text;
using System.Text.Json;
using Supervisor.Control;

namespace Supervisor.Demo;

/// <summary>Runs listenctl as a user or a script would.</summary>
internal sealed class Listenctl(string program, string controlSocket)
{
    /// <summary>Runs a command that writes to the demo's own standard output.</summary>
    /// <exception cref="DemoFailure">The command failed.</exception>
    public async Task ShowAsync(string[] arguments, CancellationToken cancellation)
    {
        using var child = Child.Start(program, ["--socket", controlSocket, .. arguments]);
        Check(arguments, await WaitAsync(child, cancellation), "");
    }

    /// <summary>
    /// Runs a command and returns its exit status. Passes each line of standard output on, and those of standard error at
    /// the end.
    /// </summary>
    public async Task<int> RunAsync(string[] arguments, Action<string> line, CancellationToken cancellation)
    {
        var errors = new List<string>();
        using var child = Child.Start(program, ["--socket", controlSocket, .. arguments], line, errors.Add);
        var exitCode = await WaitAsync(child, cancellation);
        errors.ForEach(line);
        return exitCode;
    }

    /// <summary><c>listenctl status SERVICE --json</c>.</summary>
    public async Task<ServiceDocument> StatusAsync(string service, CancellationToken cancellation)
    {
        var text = await JsonAsync(["status", service, "--json"], cancellation);
        return JsonSerializer.Deserialize(text, ControlJson.Default.StatusDocument)?.Services.FirstOrDefault(one => one.Name == service)
            ?? throw new DemoFailure($"listenctl status has no service {service}");
    }

    /// <summary><c>listenctl listeners NAME --json</c>.</summary>
    public async Task<ListenerDocument> ListenerAsync(string name, CancellationToken cancellation)
    {
        var text = await JsonAsync(["listeners", name, "--json"], cancellation);
        return JsonSerializer.Deserialize(text, ControlJson.Default.ListListenerDocument)?.Find(one => one.Name == name)
            ?? throw new DemoFailure($"listenctl listeners has no listener {name}");
    }

    private async Task<string> JsonAsync(string[] arguments, CancellationToken cancellation)
    {
        var output = new StringBuilder();
        var errors = new StringBuilder();
        using var child = Child.Start(
            program,
            ["--socket", controlSocket, .. arguments],
            line => output.AppendLine(line),
            line => errors.AppendLine(line));
        Check(arguments, await WaitAsync(child, cancellation), errors.ToString());
        return output.ToString();
    }

    private static async Task<int> WaitAsync(Child child, CancellationToken cancellation)
    {
        try
        {
            return await child.WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            child.Kill();
            throw;
        }
    }

    private static void Check(string[] arguments, int exitCode, string output)
    {
        if (exitCode != 0)
        {
            throw new DemoFailure($"listenctl {string.Join(' ', arguments)}: exit code {exitCode}\n{output}".TrimEnd());
        }
    }
}
