using Spectre.Console;

namespace Supervisor.Demo;

/// <summary>What the demo shows: on a terminal with a line at the bottom that moves, elsewhere lines that stay.</summary>
internal sealed class Stage(IAnsiConsole console)
{
    /// <summary>Begins a part of the demo.</summary>
    public void Part(string title) => console.MarkupLineInterpolated($"\n[bold]{title}[/]");

    /// <summary>Writes a line that stays.</summary>
    public void Line(string text) => console.MarkupLineInterpolated($"  {text}");

    /// <summary>Writes the line of somebody else's program.</summary>
    public void Quote(string text) => console.MarkupLineInterpolated($"  [grey]|[/] {text}");

    /// <summary>Writes a line about something that went as it should.</summary>
    public void Good(string text) => console.MarkupLineInterpolated($"  [green]{text}[/]");

    /// <summary>Writes a line about something that did not.</summary>
    public void Bad(string text) => console.MarkupLineInterpolated($"  [red]{text}[/]");

    /// <summary>Writes a table.</summary>
    public void Table(Table table) => console.Write(table);

    /// <summary>Does <paramref name="work"/>; on a terminal, <paramref name="news"/> is shown meanwhile, five times a second.</summary>
    public async Task WhileAsync(Func<string> news, Func<Task> work)
    {
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Out.IsTerminal)
        {
            await work();
            return;
        }

        await console.Status().StartAsync(Markup.Escape(news()), async status =>
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
