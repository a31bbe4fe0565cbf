using Spectre.Console;

namespace Supervisor.Demo;

/// <summary>The output of the demo: plain lines, and on a terminal a progress line at the bottom.</summary>
internal sealed class Stage
{
    private readonly IAnsiConsole _console;

    public Stage(IAnsiConsole console)
    {
        // Lines for a file or a pipe are not wrapped.
        if (!console.Profile.Out.IsTerminal)
        {
            console.Profile.Width = 1000;
        }

        _console = console;
    }

    /// <summary>Begins a part of the demo.</summary>
    public void Part(string title) => _console.MarkupLineInterpolated($"\n[bold]{title}[/]");

    /// <summary>Writes a line.</summary>
    public void Line(string text) => _console.MarkupLineInterpolated($"  {text}");

    /// <summary>Writes a line of another program's output.</summary>
    public void Quote(string text) => _console.MarkupLineInterpolated($"  [grey]|[/] {text}");

    /// <summary>Writes a line about a success.</summary>
    public void Good(string text) => _console.MarkupLineInterpolated($"  [green]{text}[/]");

    /// <summary>Writes a line about a failure.</summary>
    public void Bad(string text) => _console.MarkupLineInterpolated($"  [red]{text}[/]");

    /// <summary>Writes a table.</summary>
    public void Table(Table table) => _console.Write(table);

    /// <summary>Runs <paramref name="work"/>; on a terminal, shows <paramref name="news"/> five times per second.</summary>
    public async Task WhileAsync(Func<string> news, Func<Task> work)
    {
        if (!_console.Profile.Capabilities.Interactive || !_console.Profile.Out.IsTerminal)
        {
            await work();
            return;
        }

        await _console.Status().StartAsync(Markup.Escape(news()), async status =>
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            var done = work();
            while (!done.IsCompleted)
            {
                var tick = timer.WaitForNextTickAsync().AsTask();
                if (await Task.WhenAny(done, tick) == tick)
                {
                    status.Status(Markup.Escape(news()));
                }
            }

            await done;
        });
    }
}
