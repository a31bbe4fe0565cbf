namespace Supervisor.Linux.Kernel;

/// <summary>Questions to the loop about so many subjects that their answers would keep it from its events.</summary>
public static class SlicedQuestions
{
    /// <summary>How long a slice of a long answer may keep the loop from its events.</summary>
    public static TimeSpan SliceTime { get; } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// Asks about each of many subjects, for which one turn of the loop would be too long. A slice of about
    /// <see cref="SliceTime"/> is one turn, so events and deadlines pass in between, and a subject may have changed or ended since
    /// the list was made. The next slice runs while the caller uses the last one. Any thread except the loop's.
    /// </summary>
    /// <param name="loop">The loop.</param>
    /// <param name="subjects">Lists the subjects, on the loop, in the first slice.</param>
    /// <param name="question">Answers for one subject, on the loop; null leaves it out.</param>
    public static async IAsyncEnumerable<IReadOnlyList<TAnswer>> AskInSlices<TSubject, TAnswer>(
        this EventLoop loop, Func<IEnumerable<TSubject>> subjects, Func<TSubject, TAnswer?> question)
        where TAnswer : class
    {
        TSubject[]? all = null;
        var next = 0;
        List<TAnswer> Slice()
        {
            var end = loop.Time.GetTimestamp() + (long)(SliceTime.TotalSeconds * loop.Time.TimestampFrequency);
            all ??= [.. subjects()];
            var answers = new List<TAnswer>();
            while (next < all.Length && loop.Time.GetTimestamp() < end)
            {
                if (question(all[next++]) is { } answer)
                {
                    answers.Add(answer);
                }
            }

            return answers;
        }

        var slice = await loop.Ask(Slice);
        while (next < all!.Length)
        {
            var following = loop.Ask(Slice);
            yield return slice;
            slice = await following;
        }

        yield return slice;
    }

    /// <summary>The same, with all answers in one list.</summary>
    public static async Task<List<TAnswer>> AskEach<TSubject, TAnswer>(
        this EventLoop loop, Func<IEnumerable<TSubject>> subjects, Func<TSubject, TAnswer?> question)
        where TAnswer : class
    {
        var answers = new List<TAnswer>();
        await foreach (var slice in loop.AskInSlices(subjects, question))
        {
            answers.AddRange(slice);
        }

        return answers;
    }
}
